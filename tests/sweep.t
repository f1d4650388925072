#!/bin/sh
# A dozen seeds of the kill sweep; tests/sweep/run N for more, tests/sweep/run --seed S to see one again.
# Slow: each seed runs a whole load several times, with faults and kills between.
exec "$(dirname "$0")/sweep/run" 12
