#include "tests/bench/http_calls.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace cloudstate::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

// A kept connection. Lives on the io_context's thread.
class Connection {
 public:
  Connection(asio::io_context& context, const asio::ip::tcp::endpoint& server) : socket_(context) {
    error_code error;
    socket_.connect(server, error);
    if (!error) socket_.set_option(asio::ip::tcp::no_delay(true), error);
    if (error) std::cerr << "cannot connect for HTTP: " << error.message() << "\n";  // the first call says it again
  }

  void Call(const std::string& host, const HttpRequest& request, Calls::Done done) {
    done_ = std::move(done);
    request_ = {http::string_to_verb(request.method), request.target, 11, request.body};
    request_.set(http::field::host, host);
    if (!request.body.empty()) request_.set(http::field::content_type, "application/json");
    request_.prepare_payload();
    http::async_write(socket_, request_, [this](error_code error, std::size_t) {
      if (error) return Failed(error);
      Read();
    });
  }

 private:
  void Read() {
    response_ = {};
    http::async_read(socket_, buffer_, response_, [this](error_code error, std::size_t) {
      if (error) return Failed(error);
      const bool served = response_.result() == http::status::ok;
      done_(served ? absl::OkStatus()
                   : absl::UnknownError(absl::StrCat("HTTP ", response_.result_int(), ": ", response_.body())));
    });
  }

  void Failed(error_code error) { done_(absl::UnavailableError(error.message())); }

  asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  Calls::Done done_;
};

class Http final : public Calls {
 public:
  Http(const std::string& address, std::size_t lanes, std::function<HttpRequest(std::size_t)> request)
      : address_(address), request_(std::move(request)) {
    const std::size_t colon = address.rfind(':');
    error_code error;
    const asio::ip::tcp::endpoint server(asio::ip::make_address(address.substr(0, colon), error),
                                         static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
    for (std::size_t i = 0; i < lanes; ++i) connections_.push_back(std::make_unique<Connection>(context_, server));
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Http() override {
    context_.stop();
    thread_.join();
  }

  void Make(std::size_t lane, std::size_t entity, Done done) override {
    asio::post(context_, [this, lane, entity, done = std::move(done)]() mutable {
      connections_[lane]->Call(address_, request_(entity), std::move(done));
    });
  }

 private:
  const std::string address_;
  const std::function<HttpRequest(std::size_t)> request_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Calls> HttpCalls(const std::string& address, std::size_t lanes,
                                 std::function<HttpRequest(std::size_t entity)> request) {
  return std::make_unique<Http>(address, lanes, std::move(request));
}

}  // namespace cloudstate::bench
