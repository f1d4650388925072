#!/bin/sh
# A few seeds of the MDS flow's kill sweep; tests/sweep/mds N for more, tests/sweep/mds --seed S to see one again.
exec "$(dirname "$0")/sweep/mds" 6
