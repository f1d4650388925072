"""soql - the part of Socrata's query language that the stand-in serves: parsing, and compiling to Python.

A tree is made of tuples, ("cmp", "<", left, right) and so on; parse_*() make them.  compile_expression() turns one
into a typed function of a row, as far as the columns it names exist.  Null follows SQL: a comparison with it
is neither true nor false.  Whatever is wrong raises SoqlError with Socrata's own code for it (section 8).
"""
import re
from decimal import Decimal, InvalidOperation

AGGREGATES = {"count", "min", "max", "sum", "avg"}
RESERVED = {"and", "or", "not", "like", "in", "between", "is", "null", "true", "false", "as", "asc", "desc",
            "select", "where", "group", "by", "having", "order", "limit", "offset"}
TOKEN = re.compile(r"""\s+
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | `(?P<quoted>[^`]+)`
    | (?P<star>:?\*)
    | (?P<name>:?@?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op><=|>=|!=|<>|==|[=<>(),-])""", re.X)
TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6}))?)?(Z|[+-]00:?00)?$")


class SoqlError(Exception):
    def __init__(self, code, message, **data):
        super().__init__(message)
        self.code, self.message, self.data = "query.soql." + code, message, data


class Parser:
    """Recursive descent over the tokens of one clause or statement."""

    def __init__(self, source):
        self.source = source
        self.tokens = []        # (kind, value, position); names are lower case
        self.at = 0
        where = 0
        while where < len(source):
            found = TOKEN.match(source, where)
            if not found:
                code = "unterminated-string" if source[where] in "'`" else "unexpected-character"
                message = f"{code.replace('-', ' ').capitalize()} at column {where + 1}"
                raise SoqlError(code, message, **self.place(where))
            kind = found.lastgroup
            if kind == "text":
                self.tokens.append((kind, found[kind][1:-1].replace("''", "'"), where))
            elif kind == "quoted":
                self.tokens.append(("quoted", found[kind].lower(), where))
            elif kind:
                self.tokens.append((kind, found[kind].lower() if kind == "name" else found[kind], where))
            where = found.end()

    def place(self, where):
        return {"position": {"row": 1, "column": where + 1, "line": self.source}}

    def peek(self, *values):
        kind, value, _ = self.tokens[self.at] if self.at < len(self.tokens) else (None, None, 0)
        return kind in ("name", "op", "star") and value in values

    def accept(self, *values):
        if self.peek(*values):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, *values):
        for value in values:
            if not self.accept(value):
                self.fail(f"`{value}'")

    def fail(self, wanted):
        if self.at >= len(self.tokens):
            raise SoqlError("unexpected-eof", f"Unexpected end of input; expected {wanted}",
                            **self.place(len(self.source)))
        _, value, where = self.tokens[self.at]
        raise SoqlError("bad-parse", f"Expected {wanted}, but got `{value}'", **self.place(where))

    def end(self):
        if self.at < len(self.tokens):
            self.fail("end of input")

    # expressions, loosest first

    def expression(self):
        left = self.conjunction()
        while self.accept("or"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self):
        left = self.negation()
        while self.accept("and"):
            left = ("and", left, self.negation())
        return left

    def negation(self):
        if self.accept("not"):
            return ("not", self.negation())
        return self.comparison()

    def comparison(self):
        left = self.primary()
        while True:
            op = self.accept("=", "==", "!=", "<>", "<", "<=", ">", ">=")
            if op:
                left = ("cmp", {"==": "=", "<>": "!="}.get(op, op), left, self.primary())
            elif self.accept("is"):
                negated = self.accept("not")
                self.expect("null")
                left = ("not", ("isnull", left)) if negated else ("isnull", left)
            elif self.peek("not", "like", "in", "between"):
                negated = self.accept("not")
                left = self.predicate(left)
                left = ("not", left) if negated else left
            else:
                return left

    def predicate(self, left):
        if self.accept("like"):
            return ("like", left, self.primary())
        if self.accept("in"):
            self.expect("(")
            return ("in", left, self.listing(self.expression))
        self.expect("between")
        low = self.primary()
        self.expect("and")
        return ("between", left, low, self.primary())

    def listing(self, item):
        """item, item ... ), with the bracket."""
        items = []
        while not self.accept(")"):
            if items:
                self.expect(",")
            items.append(item())
        return items

    def primary(self):
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.accept("-"):
            tree = self.primary()
            if tree[0] != "number":
                self.fail("a number after `-'")
            return ("number", -tree[1])
        if self.at >= len(self.tokens):
            self.fail("an expression")
        kind, value, _ = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return ("text", value)
        if kind == "number":
            return ("number", Decimal(value))
        if kind == "quoted":
            return ("column", value)
        if kind == "name" and value in ("true", "false"):
            return ("boolean", value == "true")
        if kind == "name" and value == "null":
            return ("null", None)
        if kind == "name" and value not in RESERVED:
            if not self.accept("("):
                return ("column", value)
            if self.accept("*"):
                self.expect(")")
                return ("call", value, [])
            return ("call", value, self.listing(self.expression))
        self.at -= 1
        return self.fail("an expression")

    # clauses

    def selection(self):
        """A list of (tree, alias or None); the tree may be ("star", "*" or ":*")."""
        items = []
        while True:
            if self.peek("*", ":*"):
                items.append((("star", self.accept("*", ":*")), None))
            else:
                tree = self.expression()
                items.append((tree, self.name() if self.accept("as") else None))
            if not self.accept(","):
                return items

    def ordering(self):
        """A list of (tree, descending)."""
        items = []
        while True:
            tree = self.expression()
            items.append((tree, self.accept("asc", "desc") == "desc"))
            if not self.accept(","):
                return items

    def grouping(self):
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        return items

    def name(self):
        if self.at < len(self.tokens) and self.tokens[self.at][0] in ("name", "quoted"):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return self.fail("a name")

    def whole_number(self):
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "number":
            self.at += 1
            return int(self.tokens[self.at - 1][1])
        return self.fail("a number")


class Query:
    """The clauses of a request; None where it has none."""

    def __init__(self):
        self.select = self.where = self.group = self.order = self.limit = self.offset = None

    def narrow(self, tree):
        self.where = tree if self.where is None else ("and", self.where, tree)


def parse(source, clause):
    """Parses one whole clause, such as parse("a, b", "selection")."""
    parser = Parser(source)
    tree = getattr(parser, clause)()
    parser.end()
    return tree


def parse_statement(source):
    parser, query = Parser(source), Query()
    if parser.accept("select"):
        query.select = parser.selection()
    if parser.accept("where"):
        query.where = parser.expression()
    if parser.accept("group"):
        parser.expect("by")
        query.group = parser.grouping()
    if parser.accept("order"):
        parser.expect("by")
        query.order = parser.ordering()
    if parser.accept("limit"):
        query.limit = parser.whole_number()
    if parser.accept("offset"):
        query.offset = parser.whole_number()
    parser.end()
    return query


# compiling

def timestamp(text, zone=""):
    """The text as Socrata prints a timestamp, or None if it is none."""
    found = TIMESTAMP.match(text)
    if not found or (found[5] and not zone):
        return None
    return f"{found[1]}T{found[2] or '00:00'}{found[3] or ':00'}.{(found[4] or '')[:3]:0<3}{zone}"


def number(text):
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


CASTS = {               # what a text literal becomes beside an expression of another type
    "number": number,
    "double": number,
    "boolean": {"true": True, "false": False}.get,
    "floating_timestamp": timestamp,
    "fixed_timestamp": lambda text: timestamp(text, "Z"),
}
COMPARE = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}
FUNCTIONS = {           # name: (type of the result, function of values that are not null)
    "upper": ("text", str.upper),
    "lower": ("text", str.lower),
    "starts_with": ("boolean", str.startswith),
    "contains": ("boolean", lambda a, b: b in a),
    "date_trunc_y": ("floating_timestamp", lambda a: a[:4] + "-01-01T00:00:00.000"),
    "date_trunc_ym": ("floating_timestamp", lambda a: a[:7] + "-01T00:00:00.000"),
    "date_trunc_ymd": ("floating_timestamp", lambda a: a[:10] + "T00:00:00.000"),
}


class Compiler:
    """columns(name) gives (type, function of a row) or None; casts adds to CASTS."""

    def __init__(self, columns, casts):
        self.columns = columns
        self.casts = CASTS | casts

    def compile(self, tree):
        """The tree's type and its function of a row."""
        return getattr(self, "compile_" + tree[0])(*tree[1:])

    def compile_text(self, value):
        return "text", lambda row: value

    def compile_number(self, value):
        return "number", lambda row: value

    def compile_boolean(self, value):
        return "boolean", lambda row: value

    def compile_null(self, value):
        return "null", lambda row: None

    def compile_column(self, name):
        found = self.columns(name)
        if not found:
            raise SoqlError("no-such-column", f"No such column: {name}", column=name)
        return found

    def compile_call(self, name, args):
        if name in AGGREGATES:
            raise SoqlError("aggregate-in-ungrouped-context", f"Aggregate function {name} used in ungrouped context")
        if name not in FUNCTIONS:
            raise SoqlError("no-such-function", f"No such function: {name}", function=name)
        kind, function = FUNCTIONS[name]
        parts = [self.compile(arg)[1] for arg in args]

        def call(row):
            values = [part(row) for part in parts]
            return None if None in values else function(*values)
        return kind, call

    def pair(self, left, right):
        """Both sides as functions that give comparable values; a text literal takes the other side's type."""
        (ltype, lget), (rtype, rget) = self.compile(left), self.compile(right)
        if ltype == rtype or "null" in (ltype, rtype) or {ltype, rtype} == {"number", "double"}:
            return lget, rget
        if right[0] == "text" and ltype in self.casts:
            return lget, self.cast(right[1], ltype)
        if left[0] == "text" and rtype in self.casts:
            return self.cast(left[1], rtype), rget
        raise SoqlError("type-mismatch", f"Type mismatch for op$=, is {rtype}", type=rtype)

    def cast(self, text, kind):
        value = self.casts[kind](text)
        if value is None:
            raise SoqlError("type-mismatch", f"Type mismatch: {text!r} is no {kind}", type="text")
        return lambda row: value

    def compile_cmp(self, op, left, right):
        lget, rget = self.pair(left, right)
        compare = COMPARE[op]

        def test(row):
            a, b = lget(row), rget(row)
            return None if a is None or b is None else compare(a, b)
        return "boolean", test

    def compile_between(self, value, low, high):
        return self.compile(("and", ("cmp", ">=", value, low), ("cmp", "<=", value, high)))

    def compile_in(self, value, items):
        tests = [self.compile(("cmp", "=", value, item))[1] for item in items]
        return "boolean", lambda row: any_of([test(row) for test in tests])

    def compile_like(self, value, pattern):
        get = self.compile(value)[1]
        parts = re.split("([%_])", pattern[1])
        regex = re.compile("".join({"%": ".*", "_": "."}.get(p, re.escape(p)) for p in parts), re.S)

        def test(row):
            text = get(row)
            return None if text is None else regex.fullmatch(text) is not None
        return "boolean", test

    def compile_isnull(self, value):
        get = self.compile(value)[1]
        return "boolean", lambda row: get(row) is None

    def boolean(self, tree):
        kind, get = self.compile(tree)
        if kind not in ("boolean", "null"):
            raise SoqlError("type-mismatch", f"Type mismatch: cannot use {kind} as a condition", type=kind)
        return get

    def compile_and(self, left, right):
        lget, rget = self.boolean(left), self.boolean(right)

        def test(row):
            a = lget(row)
            if a is False:
                return False
            b = rget(row)
            return False if b is False else None if a is None else b
        return "boolean", test

    def compile_or(self, left, right):
        lget, rget = self.boolean(left), self.boolean(right)
        return "boolean", lambda row: lget(row) is True or any_of((lget(row), rget(row)))

    def compile_not(self, inner):
        get = self.boolean(inner)

        def test(row):
            value = get(row)
            return None if value is None else not value
        return "boolean", test

    def aggregate(self, tree):
        """An aggregate's type and its function of a list of rows."""
        name, args = tree[1], tree[2]
        if not args:
            return "number", len
        kind, get = self.compile(args[0])

        def values(rows):
            return [v for v in map(get, rows) if v is not None]
        return {
            "count": ("number", lambda rows: len(values(rows))),
            "min": (kind, lambda rows: min(values(rows), default=None)),
            "max": (kind, lambda rows: max(values(rows), default=None)),
            "sum": ("number", lambda rows: sum(values(rows)) if values(rows) else None),
            "avg": ("number", lambda rows: sum(values(rows)) / len(values(rows)) if values(rows) else None),
        }[name]


def any_of(values):
    """SQL's OR of true, false and null."""
    return True if True in values else None if None in values else False


def conjuncts(tree):
    """The conditions that all have to hold."""
    if tree is None:
        return []
    if tree[0] == "and":
        return conjuncts(tree[1]) + conjuncts(tree[2])
    return [tree]
