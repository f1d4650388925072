"""options.py DICTIONARY <HELP: what differs from the dictionary, one line each.  Of HELP "# TOOL [COMMAND]" starts a --help."""
import re
import sys

ROW = re.compile(r" (?:-(\w)|  ) --([a-z0-9-]+)(?: (?! )(\S+))? *(.*)")


def read_dictionary(path):
    """The options, each with its letter, its arguments and its meaning."""
    known = {}
    for line in open(path):
        if line.strip() and not line.startswith("#"):
            name, letter, rest = line.rstrip("\n").split(None, 2)
            arguments, meaning = re.split(r"  +", rest, maxsplit=1)
            known[name] = letter, arguments.split(" "), meaning
    return known


def read_help(lines):
    """Each option of each tool: who has it, its letter, its name, its argument and its text."""
    who = None
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith("# "):
            who = line[2:]
        elif len(line) > 79:
            print(f"{who}: longer than 79 columns: {line}")
        row = ROW.fullmatch(line)
        if row and "--version" not in line:
            yield who, row[1] or "-", row[2], row[3] or "-", row[4]


def main():
    known = read_dictionary(sys.argv[1])
    arguments, letters, found = {}, {}, set()
    for who, letter, name, argument, text in read_help(sys.stdin):
        found.add((name, argument))
        if letter != "-" and letters.setdefault(letter, name) != name:
            print(f"{who}: -{letter} is --{name} here, and --{letters[letter]} elsewhere")
        if name not in known:
            if arguments.setdefault(name, argument) != argument:
                print(f"{who}: --{name} {argument} is --{name} {arguments[name]} elsewhere")
            continue
        its_letter, its_arguments, meaning = known[name]
        if its_letter != "*" and letter not in (its_letter, "-"):
            print(f"{who}: --{name} has the letter -{letter}, not {its_letter}")
        if argument not in its_arguments:
            print(f"{who}: --{name} {argument}: the dictionary has {' '.join(its_arguments)}")
        if not re.search(meaning, text):
            print(f"{who}: --{name}: {text}: does not mean {meaning}")
    for name, (letter, its_arguments, _) in known.items():
        if letter not in "*-" and letters.get(letter, name) != name:
            print(f"-{letter} is --{letters[letter]}, and --{name} in the dictionary")
        for argument in its_arguments:
            if (name, argument) not in found:
                print(f"no tool has --{name} {argument}")


main()
