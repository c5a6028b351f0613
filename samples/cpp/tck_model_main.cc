// The conformance model as a user function of its own: tck-model-user-function [--fault NAME | --list-faults].

#include "samples/cpp/faults/fault_program.h"
#include "samples/cpp/faults/faulty_model.h"
#include "samples/cpp/tck_model.h"

int main(int argc, char** argv) {
  return cloudstate::samples::RunFaultProgram(argc, argv,
                                              {.name = "tck-model",
                                               .faults = cloudstate::samples::TckModelFaults(),
                                               .start = cloudstate::samples::StartTckModel,
                                               .start_faulty = cloudstate::samples::StartFaultyTckModel});
}
