/*
 * base/opt.h - one table of options: it parses, checks ranges, prints --help, and feeds the
 * shells' completion.
 *
 * A row binds a typed pointer, so a flag bound to a number does not compile.  Every tool defines `tool`.
 * --help, --version, --quiet, --progress, --log-json and -v, --verbose are in every tool and in no table.
 * --completion, which no manual names, prints what scripts/completion makes the shells' files of.
 * Long options take "--name value" or "--name=value"; short ones cluster as getopt's do; "--" ends them;
 * options may follow operands.  A wrong call dies EX_USAGE before a byte is read.
 *
 * A tool may have commands, each with a table of its own.  The options of the tool's table belong
 * to all commands.  --help lists the commands, and COMMAND --help the options of one.  An option
 * that two commands have takes the same kind of argument in both.
 */
#ifndef OPT_H
#define OPT_H

#include <stdbool.h>
#include <stddef.h>

struct words { char **w; size_t n; };           /* of a repeatable option, in the order given; lent by argv */

enum opt_kind { OPT_KIND_END, OPT_KIND_FLAG, OPT_KIND_STRING, OPT_KIND_LIST, OPT_KIND_NUMBER, OPT_KIND_SIZE,
	OPT_KIND_SECONDS, OPT_KIND_CHOICE, OPT_KIND_GROUP,
	OPT_KIND_RENAMED };

struct opt {
	enum opt_kind kind;
	char letter;                            /* 0: long name only */
	const char *name, *arg, *help;
	bool *flag;
	const char **string;
	struct words *list;
	long long *number;                      /* count, bytes or choice */
	double *seconds;
	long long min, max;
	const char *const *words;               /* of a choice, NULL at the end */
};

#define OPT_FLAG(c, l, var, h) { .kind = OPT_KIND_FLAG, .letter = c, .name = l, .flag = var, .help = h }
#define OPT_STRING(c, l, a, var, h) \
	{ .kind = OPT_KIND_STRING, .letter = c, .name = l, .arg = a, .string = var, .help = h }
/* Repeatable; "a,b" is one word here: see opt_split(). */
#define OPT_LIST(c, l, a, var, h) { .kind = OPT_KIND_LIST, .letter = c, .name = l, .arg = a, .list = var, .help = h }
#define OPT_NUMBER(c, l, a, var, lo, hi, h) \
	{ .kind = OPT_KIND_NUMBER, .letter = c, .name = l, .arg = a, .number = var, .min = lo, .max = hi, .help = h }
/* Bytes: 4096, 64K, 64M, 1G (powers of 1024). */
#define OPT_SIZE(c, l, a, var, lo, hi, h) \
	{ .kind = OPT_KIND_SIZE, .letter = c, .name = l, .arg = a, .number = var, .min = lo, .max = hi, .help = h }
/* A time: 30, 0.5, 30s, 5m, 2h, 1d. */
#define OPT_SECONDS(c, l, a, var, h) \
	{ .kind = OPT_KIND_SECONDS, .letter = c, .name = l, .arg = a, .seconds = var, .help = h }
/* One of the words; *var becomes its index. */
#define OPT_CHOICE(c, l, a, var, w, h) \
	{ .kind = OPT_KIND_CHOICE, .letter = c, .name = l, .arg = a, .number = var, .words = w, .help = h }
/* Ends a group and begins the next, whose first operand is the argument: see struct opt_group. */
#define OPT_GROUP(l, a, h) { .kind = OPT_KIND_GROUP, .name = l, .arg = a, .help = h }
/* An old name: it dies with "--from is now --stage"; --help and completion do not show it. */
#define OPT_RENAMED(old, new) { .kind = OPT_KIND_RENAMED, .name = old, .help = "--" new }
/* A letter that an option had: it dies with "-n is now --limit". */
#define OPT_NO_LETTER(c, l) { .kind = OPT_KIND_RENAMED, .letter = c, .name = "", .help = "--" l }
#define OPT_END { .kind = OPT_KIND_END }

/* What a tool with commands does in one of them: "fernet decrypt --ttl 1h token". */
struct command {
	const char *name;                       /* "decrypt"; NULL ends a table */
	const char *operands;                   /* "[file]"; "" takes none */
	const char *does;                       /* one sentence for --help */
	const struct opt *options;              /* what it has beside the tool's; may be NULL */
	int (*run)(char **operands);            /* returns the exit status */
};

/*
 * Options and operands that come once per group: "pg-upsert users --key id --and orders --key id".
 * The rows of a group point into the element.  Each group finds it as it was at first, and fills
 * it; opt_groups() returns the copies.
 */
struct opt_group {
	void *element;
	size_t size;                            /* of the element */
	char ***operands;                       /* in the element; NULL at the end of each */
};

struct tool {
	const char *name;                       /* "pg-upsert" */
	const char *operands;                   /* "TABLE [file ...]"; not used with commands */
	const char *does;                       /* one sentence for --help */
	const struct opt *options;              /* may be NULL in a tool with commands */
	const struct command *commands;         /* the first operand names one; may be NULL */
	const struct opt_group *group;          /* NULL: options have no groups */
	bool own_operands_only;                 /* the first operand ends the options (sluice, whose sink has its own) */
};
extern const struct tool tool;

bool opt_verbose(void);                         /* -v was given */

const struct command *opt_command(void);        /* the one that was called */

/*
 * Returns the operands (of the command, if the tool has some), NULL at the end.  Also makes sure
 * that 0, 1 and 2 are open, so that no socket or file takes their number: a closed stdout dies
 * EX_IOERR at once, a closed stdin gives a read error.
 */
char **opt_parse(int argc, char *argv[]);
/* The elements of all groups, one at least.  They live as long as the process. */
const void *opt_groups(size_t *n);

/* Splits "a,b,c" at commas; "a\,b" is one word.  Caller frees the result and its first word, words[0]. */
struct words opt_split(const char *list);

/* $NAME, or what the file $NAME_FILE holds without its last newline; NULL when neither is set.  Masked in
 * every later message.  The result lives as long as the process. */
const char *opt_secret(const char *name);

#endif
