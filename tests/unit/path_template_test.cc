#include "emulator/serving/path_template.h"

#include <string>
#include <vector>

#include "emulator/serving/route_table.h"
#include "gtest/gtest.h"

namespace cloudstate::serving {
namespace {

// What the only template's variables take from a path, joined by "|"; "-" if the path does not fit.
std::string Match(const std::string& text, const std::string& path) {
  const auto parsed = PathTemplate::Parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  RouteTable table;
  table.Add(*parsed, "GET", 0);
  auto request = RequestPath::Parse(path);
  if (!request.ok()) return std::string(request.status().message());
  const auto found = table.Find("GET", *std::move(request));
  if (found.route == RouteTable::Found::kNone) return "-";
  std::string values;
  for (const auto& variable : parsed->variables)
    values += (values.empty() ? "" : "|") + VariableText(variable, found.path);
  return values;
}

struct MatchCase {
  std::string text;
  std::string path;
  std::string values;
};

class PathMatch : public ::testing::TestWithParam<MatchCase> {};

TEST_P(PathMatch, TakesItsVariables) { EXPECT_EQ(Match(GetParam().text, GetParam().path), GetParam().values); }

INSTANTIATE_TEST_SUITE_P(
    PathTemplate, PathMatch,
    ::testing::Values(MatchCase{"/", "/", ""}, MatchCase{"/a", "/a", ""}, MatchCase{"/a", "/b", "-"},
                      MatchCase{"/a", "/a/", "-"}, MatchCase{"/a", "/A", "-"}, MatchCase{"/a b", "/a%20b", ""},
                      MatchCase{"/a%20b", "/a%20b", ""}, MatchCase{"/{id}", "/7", "7"}, MatchCase{"/{id}", "/", "-"},
                      MatchCase{"/c/{id}", "/c/", "-"}, MatchCase{"/c/{id}", "/c/a/b", "-"},
                      MatchCase{"/c/{id}", "/c/a%2Fb", "a/b"}, MatchCase{"/c/{id}", "/c/%C3%A9+", "\xc3\xa9+"},
                      MatchCase{"/c/{id}/i", "/c/1/i", "1"}, MatchCase{"/*/x", "/a/x", ""},
                      MatchCase{"/*/x", "/a/y", "-"}, MatchCase{"/{a.b.c}/{d}", "/1/2", "1|2"},
                      MatchCase{"/v/{name=shelves/*}", "/v/shelves/3", "shelves/3"},
                      MatchCase{"/v/{name=shelves/*}", "/v/books/3", "-"},
                      MatchCase{"/v/{name=shelves/*}/b/{id}", "/v/shelves/3/b/4", "shelves/3|4"},
                      MatchCase{"/v/{p=**}", "/v/a/b%20c", "a/b c"}, MatchCase{"/v/{p=**}", "/v/a/b%2Fc", "a/b%2Fc"},
                      MatchCase{"/v/{p=**}", "/v", ""}, MatchCase{"/v/{p=a/**}", "/v/a/b/c", "a/b/c"},
                      MatchCase{"/v/**", "/v/x/y", ""}, MatchCase{"/v/{id}:undo", "/v/3:undo", "3"},
                      MatchCase{"/v/{id}:undo", "/v/3", "-"}, MatchCase{"/v/{id}:undo", "/v/3:redo", "-"},
                      MatchCase{"/v/{id}:undo", "/v/a:b:undo", "a:b"},
                      MatchCase{"/v/{id}:undo", "/v/a%3Ab:undo", "a:b"}, MatchCase{"/v/{id}:undo", "/v/a%3Aundo", "-"},
                      MatchCase{"/v/{p=**}:undo", "/v/a/b:undo", "a/b"}, MatchCase{"/v:undo", "/v:undo", ""},
                      MatchCase{"/v/{id}", "/v/a:b", "a:b"}, MatchCase{"/a:b/{id}", "/a:b/1", "1"}));

TEST(PathTemplate, MalformedPathsAreExplained) {
  for (const char* path : {"/%", "/%4", "/%zz", "/a/%ff", "/%C3", "a", "", "/%ED%A0%80"}) {
    EXPECT_FALSE(RequestPath::Parse(path).ok()) << path;
  }
}

TEST(PathTemplate, MalformedTemplatesAreExplained) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", "starts with '/'"},
                                                                  {"a", "starts with '/'"},
                                                                  {"/a//b", "segment is missing"},
                                                                  {"/a/", "segment is missing"},
                                                                  {"/{}", "names a field"},
                                                                  {"/{a", "expected '}'"},
                                                                  {"/{a=", "segment is missing"},
                                                                  {"/{a={b}}", "within a var"},
                                                                  {"/**/b", "only be the last"},
                                                                  {"/{a=**}/b", "only be the last"},
                                                                  {"/a:", "verb"},
                                                                  {"/a:b:c", "verb"},
                                                                  {"/{a}b", "expected '/' or ':'"},
                                                                  {"/***", "expected '/' or ':'"},
                                                                  {"/{a}/{a}", "occurs twice"},
                                                                  {"/%zz", "percent"},
                                                                  {"/a}", "expected '/' or ':'"}};
  for (const auto& [text, problem] : cases) {
    const auto parsed = PathTemplate::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(std::string(parsed.status().message()).find(problem), std::string::npos) << parsed.status();
  }
}

// The number of the route that a table of these templates, all for GET, finds.
std::size_t Find(const std::vector<std::string>& templates, const std::string& path) {
  RouteTable table;
  for (std::size_t i = 0; i < templates.size(); ++i) table.Add(*PathTemplate::Parse(templates[i]), "GET", i);
  return table.Find("GET", *RequestPath::Parse(path)).route;
}

TEST(RouteTable, TheMostSpecificTemplateWins) {
  const std::vector<std::string> templates = {"/{p=**}", "/a/*", "/a/b", "/a/*:go", "/a/b/*"};
  EXPECT_EQ(Find(templates, "/a/b"), 2U);
  EXPECT_EQ(Find(templates, "/a/c"), 1U);
  EXPECT_EQ(Find(templates, "/a/c:go"), 3U);
  EXPECT_EQ(Find(templates, "/a/c:stop"), 1U);
  EXPECT_EQ(Find(templates, "/a/b/c"), 4U);
  EXPECT_EQ(Find(templates, "/a/c/c"), 0U);
  EXPECT_EQ(Find(templates, "/"), 0U);
}

TEST(RouteTable, OfTwoAlikeTheFirstCounts) { EXPECT_EQ(Find({"/a/{x}", "/a/{y}"}, "/a/1"), 0U); }

TEST(RouteTable, MethodsDecideAmongTemplatesOfOnePath) {
  RouteTable table;
  table.Add(*PathTemplate::Parse("/a/{id}"), "GET", 0);
  table.Add(*PathTemplate::Parse("/a/special"), "POST", 1);
  table.Add(*PathTemplate::Parse("/any"), "*", 2);
  const auto find = [&](const std::string& method, const char* path) {
    return table.Find(method, *RequestPath::Parse(path));
  };
  EXPECT_EQ(find("GET", "/a/special").route, 0U);
  EXPECT_EQ(find("HEAD", "/a/special").route, 0U);
  EXPECT_EQ(find("POST", "/a/special").route, 1U);
  EXPECT_EQ(find("BREW", "/any").route, 2U);
  EXPECT_EQ(find("PUT", "/a/special").route, RouteTable::Found::kNone);
  EXPECT_EQ(find("PUT", "/a/special").allowed, (std::vector<std::string>{"POST", "GET"}));
  EXPECT_TRUE(find("PUT", "/b").allowed.empty());
}

}  // namespace
}  // namespace cloudstate::serving
