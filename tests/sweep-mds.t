#!/bin/sh
# A few seeds of the MDS flow's kill sweep; tests/sweep/mds N for more, tests/sweep/mds --seed S to see one again.
# Slow: each seed runs a whole load several times, with faults and kills between.
exec "$(dirname "$0")/sweep/mds" 6
