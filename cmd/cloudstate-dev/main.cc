#include "cmd/cloudstate-dev/command_line.h"

int main(int argc, char** argv) { return cloudstate::cli::RunCommandLine(argc, argv); }
