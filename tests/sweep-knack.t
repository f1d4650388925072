#!/bin/sh
# A few seeds of the Knack flow's kill sweep; tests/sweep/knack N for more, tests/sweep/knack --seed S to see one again.
# Slow: each seed runs a whole load several times, with faults and kills between.
exec "$(dirname "$0")/sweep/knack" 6
