#include "cmd/cloudstate-dev/command_line.h"

namespace cloudstate::cli {

void AddJournal(CLI::App& root, Invocation& invocation) {
  CLI::App* journal = Command(root, "journal", "Look into what entities have stored: ls, show, tail, replay, delete",
                              "  cloudstate-dev journal ls\n"
                              "  cloudstate-dev journal show cart-7\n"
                              "  cloudstate-dev journal tail --follow\n"
                              "  cloudstate-dev journal replay cart-7 --at 3 GetCart");
  journal->group(kLookGroup);
  journal->require_subcommand(1);
  AddJournalList(*journal, invocation);
  AddJournalShow(*journal, invocation);
  AddJournalTail(*journal, invocation);
  AddJournalReplay(*journal, invocation);
  AddJournalDelete(*journal, invocation);
}

}  // namespace cloudstate::cli
