"""exec_bench.py BINARY [--quick]: what `exec` costs, and how many emulators one machine carries at once.

First `exec -- true`, with and without a user function, one after the other. Then many at once, each with a user function
and a test of its own: each stores something, all wait until all have, and each looks at what it has stored: only its own.
"""

import json
import statistics
import subprocess
import sys
import time

GOAL_MILLISECONDS = 250
TIMES = 20
AT_ONCE = 200
SAMPLE = ["--sample", "shopping-cart"]

# Tells that it has stored something, and goes on when its input ends.
TEST = """
"$0" call ShoppingCart.AddItem "{\\"userId\\":\\"user-$1\\",\\"productId\\":\\"pear\\",\\"quantity\\":1}" || exit 10
echo stored $PPID
read line
"$0" journal ls --json
"""


def measure_one(binary, options, times):
    """Milliseconds of each."""
    taken = []
    for _ in range(times):
        started = time.monotonic()
        subprocess.run([binary, "exec", *options, "--", "true"], check=True)
        taken.append(1000 * (time.monotonic() - started))
    return taken


def tell_one(name, taken):
    median = statistics.median(taken)
    verdict = "met" if median < GOAL_MILLISECONDS else "MISSED"
    print(f"{name}: median {median:.0f} ms, worst {max(taken):.0f} ms; goal below {GOAL_MILLISECONDS} ms: {verdict}")


def figures_of(pid):
    """Of the process with this id: proportional memory in MiB, threads, open files."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    with open(f"/proc/{pid}/status") as file:
        threads = next(int(line.split()[1]) for line in file if line.startswith("Threads:"))
    files = int(subprocess.run(f"ls /proc/{pid}/fd | wc -l", shell=True, check=True, capture_output=True).stdout)
    return memory, threads, files


def start(binary, number):
    command = [binary, "exec", "--start-timeout", "5m", *SAMPLE, "--", "sh", "-c", TEST, binary, str(number)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process):
    """The emulator's process id, from a test that has stored something."""
    for line in process.stdout:
        if line.startswith("stored "):
            return line.split()[1]
    raise AssertionError(f"a test ended with {process.wait()} before it had stored anything")


def check_isolation(number, process):
    stored = [entity["entityId"] for entity in json.loads(process.stdout.read())["entities"]]
    if stored != [f"user-{number}"]:
        raise AssertionError(f"test {number} sees {stored}")
    if process.wait() != 0:
        raise AssertionError(f"test {number} ended with {process.returncode}")


def measure_many(binary, count):
    started = time.monotonic()
    processes = [start(binary, number) for number in range(count)]
    try:
        figures = [figures_of(line_of(process)) for process in processes]
        all_there = time.monotonic()
        for process in processes:
            process.stdin.close()
        for number, process in enumerate(processes):
            check_isolation(number, process)
        ended = time.monotonic()
    finally:
        for process in processes:
            process.kill()
    memory, threads, files = (statistics.mean(each) for each in zip(*figures))
    print(
        f"{count} at once: all have stored after {all_there - started:.1f} s, have looked and ended "
        f"{ended - all_there:.1f} s later; each sees only its own. "
        f"An emulator has {memory:.1f} MiB, {threads:.0f} threads and {files:.0f} open files"
    )


def main():
    binary, quick = sys.argv[1], "--quick" in sys.argv[2:]
    tell_one("exec -- true", measure_one(binary, [], 2 if quick else TIMES))
    tell_one("exec --sample shopping-cart -- true", measure_one(binary, SAMPLE, 2 if quick else TIMES))
    measure_many(binary, 5 if quick else AT_ONCE)


if __name__ == "__main__":
    main()
