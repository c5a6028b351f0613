"""drive.py BINARY SAMPLE COMMAND...: serves the user function COMMAND with the emulator BINARY, twice, and calls it.

SAMPLE is its folder's name, which begins with what it is. Runs in that folder.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

import crdts
import functions
import shopping_cart
from emulator import Emulator


def main():
    binary, sample, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    scenario = {"crdts": crdts, "functions": functions}.get(sample.split("-")[0], shopping_cart)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with all that is to be ended and removed
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, open(os.path.join(directory, "log"), "w+") as log:
        data = os.path.join(directory, "data")
        emulator = None

        def run(number, check, *known):
            nonlocal emulator
            options = scenario.options(sample, number)
            emulator = Emulator(binary, command, data, log, options, scenario.ENVIRONMENT)
            emulator.wait_until_ready()
            result = check(emulator, *known)
            emulator.stop()
            return result

        try:
            result = run(1, scenario.first_run, sample)
            run(2, scenario.second_run, result)
        except (AssertionError, subprocess.SubprocessError, OSError, LookupError, ValueError) as error:
            log.seek(0)
            print(f"The emulator's output:\n{log.read()}")
            print(f"interop {sample}: FAILED: {type(error).__name__}: {error}")
            return 1
        finally:
            if emulator:
                emulator.kill()
    print(f"interop {sample}: passed in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
