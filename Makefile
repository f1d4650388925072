# Culvert: `make` builds bin/, `make check` tests it, `make help` lists the rest.
VERSION = 0.1.0
PREFIX  = /usr/local
CFLAGS  = -O2 -g
PG_INC := $(shell pkg-config --cflags libpq)
FLAGS   = -std=c17 -D_POSIX_C_SOURCE=200809L -DVERSION='"$(VERSION)"' -Isrc $(PG_INC) -MMD -MP \
          -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
TOOLS  := $(patsubst src/%.c,bin/%,$(wildcard src/*.c))
LIB    := $(patsubst src/%.c,build/%.o,$(wildcard src/lib/*.c))

bin/pg-% bin/%: LDLIBS =
bin/pg-%: LDLIBS += -lpq
bin/%-fetch bin/%-push bin/s3-% bin/slack-notify: LDLIBS += -lcurl

all: $(TOOLS)                   ## build every tool (the default)

bin/%: build/%.o build/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

build/lib.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^

build/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

check: all                      ## run the tests
	PATH="$(CURDIR)/bin:$$PATH" prove -j2 tests </dev/null

help:                           ## list the targets
	@sed -n 's/^\([a-z0-9%-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

install: all                    ## install under PREFIX, below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7

clean:                          ## remove what was built
	rm -rf bin build

.PHONY: all check help install clean
.SECONDARY:
-include $(wildcard build/*.d build/lib/*.d)
