# Culvert: `make` builds bin/, `make check` tests it, `make help` lists the rest.
#
# O=DIR builds below DIR instead: make O=build/asan CFLAGS='-g -fsanitize=address,undefined' check
VERSION = 0.1.0
PREFIX  = /usr/local
O       = .
CFLAGS  = -O2 -g
FLAGS   = -std=c17 -D_POSIX_C_SOURCE=200809L -DVERSION='"$(VERSION)"' -Isrc $(shell pkg-config --cflags libpq) -MMD -MP \
          -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
TOOLS  := $(patsubst src/%.c,$(O)/bin/%,$(wildcard src/*.c))
SHELLS := $(patsubst src/%.sh,$(O)/bin/%,$(wildcard src/*.sh))
LIB    := $(patsubst src/%.c,$(O)/build/%.o,$(wildcard src/lib/*.c))
PAGES1  = $(wildcard man/*.1)
PAGES7  = $(wildcard man/*.7)

DRIVERS = $(patsubst tests/vectors/%.c,$(O)/build/vectors/%,$(wildcard tests/vectors/*.c))

all: $(TOOLS) $(SHELLS) $(DRIVERS)        ## build every tool (the default)

# What a tool links follows from its name.
$(O)/bin/pg-% $(O)/bin/mds-schedule: LDLIBS += -lpq
$(O)/bin/%-fetch $(O)/bin/%-push $(O)/bin/s3-% $(O)/bin/slack-notify $(O)/bin/airflow-last-run: LDLIBS += -lcurl
$(O)/bin/s3-%: LDLIBS += -lcrypto -lexpat -lz
$(O)/bin/soda-push: LDLIBS += -lz
$(O)/bin/fernet: LDLIBS += -lcrypto
$(O)/bin/geo-tag: LDLIBS += -lgeos_c -lm
$(O)/bin/mds-%: LDLIBS += -lm
$(O)/bin/zip-cat: LDLIBS += -larchive

$(O)/bin/%: $(O)/build/%.o $(O)/build/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Programs of the shell know where the flows are, from where they are themselves.
relative = $(shell realpath -m --relative-to='$(1)' '$(2)')
fill_in  = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@LIBEXEC@|$(1)|g'
$(SHELLS): $(O)/bin/%: src/%.sh Makefile
	@mkdir -p $(@D)
	$(call fill_in,$(call relative,$(O)/bin,scripts)) $< >$@.new && chmod 755 $@.new && mv $@.new $@

$(O)/build/lib.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^

$(O)/build/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

# What has no tool of its own to be tested by.
$(O)/build/vectors/%: tests/vectors/%.c $(O)/build/lib.a
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(O)/build/lib.a $(LDLIBS) -lcurl -lcrypto -lexpat

check: all                      ## run the tests
	CULVERT_BIN=$(abspath $(O)/bin) prove -j2 --failures --comments tests </dev/null

bench: all                      ## measure against peers; prints a table (ROWS=N BENCH="json copy ...")
	tests/bench/run $(BENCH)

# libcsv first: it has functions of the same names as ours.
build/bench/%: tests/bench/%.c $(O)/build/lib.a
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -o $@ $< $(LDLIBS) $(O)/build/lib.a
build/bench/csv-loop: LDLIBS = -lcsv
build/bench/yajl-loop: LDLIBS = -lyajl

fuzz: all                       ## fuzz every parser, SECONDS each (60)
	tests/fuzz/run $(or $(SECONDS),60)

# MODE=… YEARS=… given to make are in the environment of the load.  Years side by side under -j: the load stages as many datasets at once as make may run jobs.
JOBS_OF_MAKE = $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS)))

311: all                        ## load MyLA311: make 311 MODE=full YEARS="2019 2020"
	$(if $(JOBS_OF_MAKE),JOBS=$(JOBS_OF_MAKE)) scripts/311/load
311-%: all                      ## load one year of MyLA311: make 311-2020
	MODE=full YEARS=$* LOCK_WAIT=$${LOCK_WAIT:-3600} scripts/311/load

orders: all                     ## load a shop's orders: make orders SOURCE=s3://shop/orders.zip
	scripts/orders/load

demo: ; scripts/demo            ## load made-up 311 requests into a private PostgreSQL, and show them

help:                           ## list the targets
	@sed -n 's/^\([a-z0-9%-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

install: all                    ## install under PREFIX, below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(PAGES1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(PAGES7) $(DESTDIR)$(PREFIX)/share/man/man7

uninstall:                      ## remove what install put there
	rm -f $(patsubst $(O)/bin/%,$(DESTDIR)$(PREFIX)/bin/%,$(TOOLS))
	rm -f $(patsubst man/%,$(DESTDIR)$(PREFIX)/share/man/man1/%,$(PAGES1))
	rm -f $(patsubst man/%,$(DESTDIR)$(PREFIX)/share/man/man7/%,$(PAGES7))

clean:                          ## remove what was built
	rm -rf bin build

.PHONY: all check bench fuzz 311 orders demo help install uninstall clean
.SECONDARY:
-include $(wildcard $(O)/build/*.d $(O)/build/lib/*.d $(O)/build/vectors/*.d build/bench/*.d)
