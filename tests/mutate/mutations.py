"""Where the code can be changed, and into what: a small tokenizer for C, and one for bash.

Both first blank out what is not code (comments, strings, here-documents) without moving anything, and then look for
tokens in what remains.  The layout of this code base tells binary operators from others: they have spaces around them.
"""
import re
from collections import namedtuple

# start, end: what to replace in the file's text.  name: "< to <=", with "(2)" for the second one of the line.
Mutation = namedtuple("Mutation", "file line start end new name text")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


# ---- C ----

C_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
C_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
C_DEFINE = re.compile(r"[ \t]*#[ \t]*define[ \t]+\w+(?:\([^)]*\))?")
C_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|<<=|>>=|->|\+\+|--|<<|>>|&&|\|\||[-+*/%&|^=!<>]=|[-+*/%&|^<>!]|\S")
C_SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
           "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
           "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=", "++": "--", "--": "++", "true": "false", "false": "true"}
C_SPACED = set("<>+-*/%&|^")
C_RETURN = re.compile(r"\breturn\s+([^;]+);")
C_CALL = re.compile(r"^[ \t]+((?!(?:if|while|for|switch|return|sizeof)\b)[A-Za-z_]\w*\([^;{}\n]*\));", re.M)

C_FREE = re.compile(r"(\w+_)?free\(|PQclear\(")      # nobody sees a leak


def blank_directive(match):
    """A macro's body is code like any other, unless it is a message."""
    define = C_DEFINE.match(match[0])
    if define and '"' not in match[0]:
        return blank(define[0]) + match[0][define.end():].replace("\\\n", " \n")
    return blank(match[0])


def c_code(text):
    # a string remains one by its quotes: the directives with messages are known by them, and nothing else looks like code
    code = C_NOISE.sub(lambda m: re.sub(r"[^\n]", '"', m[0]) if m[0][0] == '"' else blank(m[0]), text)
    return C_DIRECTIVE.sub(blank_directive, code)


def number_changes(text):
    digits = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[1-9]\d*|0)([uUlL]*)", text)
    if digits is None:
        return []
    n = int(digits[1], 0)
    others = [n + 1] if n != 1 else [0, 2]
    return [(hex(other) if digits[1][:2] in ("0x", "0X") else str(other)) + digits[2] for other in others]


def c_changes(text):
    """Yields (start, end, new, name) for every possible change."""
    code = c_code(text)
    for m in C_TOKEN.finditer(code):
        token, start, end = m[0], m.start(), m.end()
        if token in C_SPACED and not re.match(r" .( |(?<!\*)\n)", code[start - 1:end + 1]):
            continue        # a pointer's star also ends the line of a function's type
        if token == "!":
            yield start, end, "", "! removed"
        elif token in C_SWAPS:
            yield start, end, C_SWAPS[token], f"{token} to {C_SWAPS[token]}"
        elif token[0].isdigit():
            for new in number_changes(token):
                yield start, end, new, f"{token} to {new}"
    for m in C_RETURN.finditer(code):
        if not re.fullmatch(r"NULL|true|false|\w*\d\w*", m[1].strip()):
            yield m.start(), m.end(), "return 0;" + "\n" * m[0].count("\n"), "return 0"
    for m in C_CALL.finditer(code):
        if not C_FREE.match(m[1]):
            yield m.start(1), m.end(), "(void)0;", f"{m[1].split('(')[0]}() removed"


# ---- bash ----

BASH_SWAPS = {"&&": "||", "||": "&&", "==": "!=", "!=": "==", "=": "!=", "-eq": "-ne", "-ne": "-eq", "-lt": "-le", "-le": "-lt",
              "-gt": "-ge", "-ge": "-gt", "-n": "-z", "-z": "-n", "true": "false", "false": "true"}
BASH_TOKEN = re.compile(r"&&|\|\||(?<=\s)(?:==|!=|=|-eq|-ne|-lt|-le|-gt|-ge)(?=\s)|(?<=\[\[ )-[nz](?=\s)|(?<=[ !] )-[nz](?=\s)"
                        r"|(?<![\w./-])(?:true|false)(?![\w./-])|(?<![^\s(;])!(?=\s)")
BASH_STATUS = re.compile(r"\b(?:exit|return) (\d+)\b")
BASH_ARITHMETIC = re.compile(r"\(\([^\n]*?\)\)")
BASH_IN_ARITHMETIC = re.compile(r"(?<![\w$#{}])\d+\b|<=|>=|[<>](?![<>=])|[-+](?=[ \d])")
HERE_DOCUMENT = re.compile(r"<<(-?)\s*(\\?['\"]?)(\w+)['\"]?")


class Bash:
    """The text with all blanked that is not code: bash's words are not regular, since "$(...)" holds code again."""

    def __init__(self, text):
        self.text, self.out, self.here = text, list(text), []
        self.code(0, "")

    def hide(self, start, end):
        self.out[start:end] = blank(self.text[start:end])

    def code(self, i, until):
        """Code from i to the parenthesis that closes it; returns where that ends."""
        text, depth = self.text, 0
        while i < len(text):
            c = text[i]
            here = HERE_DOCUMENT.match(text, i) if c == "<" and text[i - 1] != "<" and text[i + 2:i + 3] != "<" else None
            if c == "\\":
                i += 2
            elif c == "'":
                i = self.quoted(i)
            elif c == '"':
                i = self.double_quoted(i)
            elif c == "#" and (i == 0 or text[i - 1] in " \t\n;("):
                end = text.find("\n", i)
                end = len(text) if end < 0 else end
                self.hide(i, end)
                i = end
            elif here:
                self.here.append((here[3], here[1]))
                i = here.end()
            elif c == "\n" and self.here:
                i = self.here_documents(i + 1)
            else:
                depth += (c == "(") - (c == ")")
                if until == ")" and depth < 0:
                    return i + 1
                i += 1
        return i

    def quoted(self, i):
        end = i + 1
        dollar = i > 0 and self.text[i - 1] == "$"
        while end < len(self.text) and self.text[end] != "'":
            end += 2 if dollar and self.text[end] == "\\" else 1
        self.hide(i + 1, end)
        return end + 1

    def double_quoted(self, i):
        i += 1
        while i < len(self.text) and self.text[i] != '"':
            if self.text.startswith("$(", i) and not self.text.startswith("$((", i):
                i = self.code(i + 2, ")")
            else:
                n = 2 if self.text[i] == "\\" else 1
                self.hide(i, i + n)
                i += n
        return i + 1

    def here_documents(self, i):
        for word, dash in self.here:
            while i < len(self.text):
                end = self.text.find("\n", i) + 1 or len(self.text)
                line = self.text[i:end]
                self.hide(i, end)
                i = end
                if (line.lstrip("\t") if dash else line).rstrip("\n") == word:
                    break
        self.here = []
        return i - 1 if i <= len(self.text) and self.text[i - 1] == "\n" else i


def bash_changes(text):
    code = "".join(Bash(text).out)
    for m in BASH_TOKEN.finditer(code):
        if m[0] == "!":
            yield m.start(), m.end() + 1, "", "! removed"
        else:
            yield m.start(), m.end(), BASH_SWAPS[m[0]], f"{m[0]} to {BASH_SWAPS[m[0]]}"
    for m in BASH_STATUS.finditer(code):
        new = "1" if m[1] == "0" else "0"
        yield m.start(1), m.end(1), new, f"{m[0]} to {new}"
    for span in BASH_ARITHMETIC.finditer(code):
        for m in BASH_IN_ARITHMETIC.finditer(code, *span.span()):
            if m[0].isdigit():
                new = number_changes(m[0])
            else:
                new = [C_SWAPS[m[0]]]
            for other in new:
                yield m.start(), m.end(), other, f"{m[0]} to {other}"


def mutations(file, text):
    """Every possible mutation of a file, in the order of its text."""
    seen, found = {}, []
    for start, end, new, name in sorted((c_changes if file.endswith(".c") else bash_changes)(text)):
        line = text.count("\n", 0, start) + 1
        seen[line, name] = nth = seen.get((line, name), 0) + 1
        found.append(Mutation(file, line, start, end, new, f"{name} ({nth})" if nth > 1 else name,
                              text.splitlines()[line - 1].strip()))
    return found
