#!/bin/sh
# A few seeds of the order flow's kill sweep; tests/sweep/orders N for more, tests/sweep/orders --seed S to see one again.
# Slow: each seed runs a whole load several times, with faults and kills between.
exec "$(dirname "$0")/sweep/orders" 6
