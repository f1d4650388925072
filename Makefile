# Culvert: `make` builds bin/, `make check` tests it, `make help` lists the rest.
#
# O=DIR builds below DIR instead: make O=build/asan CFLAGS='-g -fsanitize=address,undefined' check
VERSION = 0.1.0
PREFIX  = /usr/local
O       = .
CFLAGS  = -O2 -g
FLAGS   = -std=c17 -D_POSIX_C_SOURCE=200809L -DVERSION='"$(VERSION)"' -Isrc/lib $(shell pkg-config --cflags libpq) -MMD -MP \
          -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
TOOLS  := $(patsubst src/%.c,$(O)/bin/%,$(wildcard src/*.c))
SHELLS := $(patsubst src/%.sh,$(O)/bin/%,$(wildcard src/*.sh))
LIB    := $(patsubst src/%.c,$(O)/build/%.o,$(wildcard src/lib/*/*.c))
PAGES1  = $(wildcard man/*.1)
PAGES7  = $(wildcard man/*.7)

DRIVERS = $(patsubst tests/vectors/%.c,$(O)/build/vectors/%,$(wildcard tests/vectors/*.c))

all: programs completion $(DRIVERS) ## build every tool (the default)
programs: $(TOOLS) $(SHELLS)

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
	$(call fill_in,$(call relative,$(O)/bin,scripts)) $< >$@.$$$$ && chmod 755 $@.$$$$ && mv $@.$$$$ $@

# q, since folders may have files of the same name.
$(O)/build/lib.a: $(LIB)
	rm -f $@ && $(AR) qcs $@ $^

$(O)/build/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

# What has no tool of its own to be tested by.
$(O)/build/vectors/%: tests/vectors/%.c $(O)/build/lib.a
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(O)/build/lib.a $(LDLIBS) -lcurl -lcrypto -lexpat

# The shells' completion, of the tools' own options.
NAMES       := $(notdir $(TOOLS) $(SHELLS))
COMPLETIONS  = $(addprefix $(O)/build/completion/,$(NAMES:%=bash/%) $(NAMES:%=zsh/_%) $(NAMES:%=fish/%.fish))
completes    = @mkdir -p $(@D) && scripts/completion $(1) $< >$@.$$$$ && mv $@.$$$$ $@
$(O)/build/completion/bash/%: $(O)/bin/% scripts/completion ; $(call completes,bash)
$(O)/build/completion/zsh/_%: $(O)/bin/% scripts/completion ; $(call completes,zsh)
$(O)/build/completion/fish/%.fish: $(O)/bin/% scripts/completion ; $(call completes,fish)
completion: $(COMPLETIONS)      ## make the completion of bash, zsh and fish below build/completion

check: all                      ## run the tests: T="pg-upsert orders" those of some; T=--all the slow ones, too
	CULVERT_BIN=$(abspath $(O)/bin) tests/run $(T)

lint:                           ## check the files that differ from HEAD; LINT=--all: all of them
	tests/lint $(LINT)

debug:                          ## build with -O0 and the address and undefined-behaviour sanitizers, below build/debug
	$(MAKE) O=build/debug CFLAGS='-O0 -g3 -fsanitize=address,undefined -fno-omit-frame-pointer'

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

mutate:                         ## change the code at N (50) random places, one at a time: do the tests notice? (SEED=1 FILE=... BUDGET=seconds)
	tests/mutate/run --number $(or $(N),50) --seed $(or $(SEED),1) $(if $(BUDGET),--budget $(BUDGET)) $(FILE)

# MODE=… YEARS=… given to make are in the environment of the load.  Years side by side under -j: the load stages as many datasets at once as make may run jobs.
# Of flows side by side, what each says comes in one piece, when it is done.
ifneq ($(word 2,$(filter 311 311-% mds-% orders,$(MAKECMDGOALS))),)
MAKEFLAGS += --output-sync=target
endif
JOBS_OF_MAKE = $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS)))

311: all                        ## load MyLA311: make 311 MODE=full YEARS="2019 2020"
	$(if $(JOBS_OF_MAKE),JOBS=$(JOBS_OF_MAKE)) scripts/311/load
311-%: all                      ## load one year of MyLA311: make 311-2020
	MODE=full YEARS=$* LOCK_WAIT=$${LOCK_WAIT:-3600} scripts/311/load

# Sources have such names, too, so no pattern for all files.
BLOCKS = $(filter mds-%,$(MAKECMDGOALS))
$(BLOCKS): mds-%: all           ## one hour block of a provider's trips: make -j4 mds-jump-2020-3-1-16 mds-jump-2020-3-1-17
	@block='$*'; provider=$${block%-*-*-*-*}; \
	scripts/mds/run --provider "$$provider" --time-max "$${block#"$$provider-"}" --interval 1 --incomplete-only --no-logs

orders: all                     ## load a shop's orders: make orders SOURCE=s3://shop/orders.zip
	scripts/orders/load

demo: ; scripts/demo            ## load made-up 311 requests into a private PostgreSQL, and show them

help:                           ## list the targets
	@sed -n 's/^\$$(BLOCKS): //;s/^\([a-z0-9%-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

# What install puts where, as mode:file:place; uninstall goes by the same list.
BINDIR     = $(PREFIX)/bin
LIBEXECDIR = $(PREFIX)/libexec/culvert
MANDIR     = $(PREFIX)/share/man
DOCDIR     = $(PREFIX)/share/doc/culvert
BASHDIR    = $(PREFIX)/share/bash-completion/completions
ZSHDIR     = $(PREFIX)/share/zsh/site-functions
FISHDIR    = $(PREFIX)/share/fish/vendor_completions.d
UNITDIR    = $(PREFIX)/lib/systemd/system
ETCDIR     = /etc/culvert
# A flow is a directory with settings of its name.
FLOWS     := $(foreach d,$(wildcard scripts/*),$(if $(wildcard $(d)/$(notdir $(d)).conf),$(d)))
COMMANDS  := scripts/lib.sh $(wildcard scripts/report scripts/report.d/* scripts/doctor.d/*) $(filter-out %~,$(wildcard $(addsuffix /*,$(FLOWS))))
mode       = $(if $(shell test -x $(1) && echo yes),755,644)
PLACES     = $(foreach f,$(TOOLS) $(wildcard src/*.sh),755:$(f):$(BINDIR)/$(basename $(notdir $(f)))) \
             $(foreach f,$(COMMANDS),$(call mode,$(f)):$(f):$(f:scripts/%=$(LIBEXECDIR)/%)) \
             $(foreach f,$(PAGES1),644:$(f):$(MANDIR)/man1/$(notdir $(f))) \
             $(foreach f,$(PAGES7),644:$(f):$(MANDIR)/man7/$(notdir $(f))) \
             $(foreach f,$(COMPLETIONS),644:$(f):$(call shell_dir,$(f))/$(notdir $(f))) \
             $(foreach f,README.md LICENSE $(wildcard docs/*.md),644:$(f):$(DOCDIR)/$(f)) \
             $(foreach f,$(wildcard scripts/cron/*.service scripts/cron/*.timer),644:$(f):$(UNITDIR)/$(notdir $(f))) \
             $(foreach f,$(filter-out %.service %.timer,$(wildcard scripts/cron/*)) $(wildcard scripts/airflow/*.*),\
                 644:$(f):$(f:scripts/%=$(DOCDIR)/examples/%))
shell_dir  = $(if $(findstring /bash/,$(1)),$(BASHDIR),$(if $(findstring /zsh/,$(1)),$(ZSHDIR),$(FISHDIR)))
# Programs of the shell learn where the others will be; the rest is put there as it is.
filled_in  = $(call fill_in,$(call relative,$(BINDIR),$(LIBEXECDIR))) -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@ETCDIR@|$(ETCDIR)|g' \
             -e 's|^tools=.*|tools=$(call relative,$(LIBEXECDIR),$(BINDIR))|' -e 's|^etc=$$|etc=$(ETCDIR)|'

# A file appears under its name when it is whole, so that a load which starts meanwhile reads no half of a script.
install: programs completion        ## install under PREFIX (/usr/local), below DESTDIR
	@set -e; umask 022; for place in $(PLACES); do \
		mode=$${place%%:*} place=$${place#*:}; file=$${place%%:*} to="$(DESTDIR)$${place#*:}"; \
		mkdir -p "$${to%/*}"; \
		case $$file in \
		src/* | scripts/lib.sh | scripts/cron/*) $(filled_in) "$$file" >"$$to.new"; chmod $$mode "$$to.new" ;; \
		*) install -m $$mode "$$file" "$$to.new" ;; \
		esac; \
		mv -f "$$to.new" "$$to"; \
	done
	@echo 'installed below $(DESTDIR)$(PREFIX)'

uninstall:                      ## remove what install put there
	@for place in $(PLACES); do rm -f "$(DESTDIR)$${place##*:}"; done
	@for dir in '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(DOCDIR)'; do \
		[ ! -d "$$dir" ] || find "$$dir" -depth -type d -empty -delete; \
	done

# Of what is committed, with the commit's time on all of it, so that everybody makes the same file.
DIST = $(O)/build/culvert-$(VERSION).tar.gz
dist:                           ## make the source's tarball, of what is committed
	@mkdir -p $(O)/build
	@[ "$$(git rev-parse --show-toplevel)" = '$(shell pwd -P)' ] || \
		{ echo 'make: this is no git repository: the package is made of what is here by dpkg-buildpackage -b' >&2; exit 1; }
	git archive --format=tar --prefix=culvert-$(VERSION)/ -o $(DIST).tar HEAD
	gzip -9n <$(DIST).tar >$(DIST).new && rm $(DIST).tar && mv $(DIST).new $(DIST)
	@echo $(DIST)

# Out of the tarball, so that what is not committed is not in it, and away from the tree, whose parent dpkg would write to.
deb: dist                       ## make the Debian package, in build/package
	rm -rf $(O)/build/package && mkdir -p $(O)/build/package && tar -xzf $(DIST) -C $(O)/build/package
	cd $(O)/build/package/culvert-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage -b -us -uc --jobs=2 >../build.log 2>&1 || { tail -n 30 ../build.log; exit 1; }
	@ls $(O)/build/package/*.deb

clean:                          ## remove what was built
	rm -rf bin build

.PHONY: all programs completion check lint debug bench fuzz mutate 311 orders $(BLOCKS) demo help install uninstall dist deb clean
.SECONDARY:
-include $(wildcard $(O)/build/*.d $(O)/build/lib/*/*.d $(O)/build/vectors/*.d build/bench/*.d)
