"""Ways to spoil a row or a page of JSON, drawn from one seed: by its text, so that also what no JSON value can say is said."""

import gzip
import re
from typing import NamedTuple

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
SCALARS = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1.5",
    "7",
    '""',
    '" "',
    '"x"',
    "[]",
    "{}",
    "[[]]",
    '{"a":1}',
    '["a"]',
]
MONEY = [
    '"1.005"', '"1,50"', '"1e2"', '"1.2.3"', '"1_000.00"', '" 1.0 "', '"+1.00"', '"1."', '".5"', '"-"', '"--1"', '"0x10"', '"Infinity"',
    '"NaN"', '"\u0661\u0662\u0663"', '"\uff11.00"', '"1.00\\n"', '"1\\u00a0000.00"', '"\u22125.00"', '"-0.00"', '"-0"', '"00012.30"', '"12.3"',
    '"12"', '"12.300"', '"9999999999999.99"', '"99999999999999.99"', '"9999999999999999.99"', '"-99999999999999.99"', '"$5.00"', '"5.00 EUR"',
    "0.1", "1.005", "0.30000000000000004", "1e2", "1E+2", "1.50e1", "1e-2", "5e-3", "1e400", "-1e400", "1e-400", "0e999", "-0.0", "12.30",
    "100000000000000", "999999999999999", "1000000000000000", "9007199254740993", "90071992547409.93", "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1000000000000000001", "123456789012345678.9",
]  # fmt: skip
DATES = [
    '"2026-02-30"', '"2026-13-01"', '"2026-00-10"', '"2025-02-29"', '"2024-02-29"', '"0000-01-01"', '"0001-01-01"', '"0001-01-01T00:00:00"',
    '"1899-12-31"', '"9999-12-31"', '"3000-01-01"', '"10000-01-01"', '"-2026-01-01"', '"26-01-01"', '"2026-1-1"', '"20260101"', '"2026/01/01"',
    '"01-02-2026"', '"2026-01-01T25:00:00Z"', '"2026-01-01T12:00:60Z"', '"2026-01-01T12:00:00.1234567Z"', '"2026-01-01T12:00:00+25:00"',
    '"2026-01-01T12:00:00+14:00"', '"2026-01-01T23:59:59-12:00"', '"2026-01-01 12:00"', '"2026-03-29T02:30:00"', '"2026-W05-1"', '"2026-060"',
    '"today"', '"\u0662\u0660\u0662\u0666-01-01"', '"2026-01-01Z"', '" 2026-01-01"', '"2026-01-01\\u0000"', '"infinity"', '"epoch"', "20260101",
    "1767225600", '"1767225600"', '"2026-01-01BC"', '"290309-12-22"', '"294247-01-10T04:00:54Z"',
]  # fmt: skip
TEXTS = [
    '"\\u0000"', '"a\\u0000b"', '"\\ud83d"', '"\\udc00x"', '"\\ud83d\\ud83d"', '"\\ud83d\\ude00"', '"\u202eabc"', '"\u2066x\u2069"', '"\ufeffx"',
    '"\\ufeff"', '"\\ufffd"', '"\uffff"', '"\U0001f600"', '"e\u0301"', '"\\"', '"\\x41"', '"\\u00"', '"\\u00e9\\/"', '"=1+1"', '"\'; DROP TABLE x"',
    '"</script>"', '"\\":\\":"', '"\\u0022:"', '"{\\"a\\":1}"', '"null"', '"NULL"', '"' + "a" * 70_000 + '"', '"\\r\\n"', '"\\t"', '"%s{}$1"',
]  # fmt: skip
NO_JSON = [
    "NaN", "Infinity", "-Infinity", "nan", "True", "None", "undefined", "01", "-", "1.", ".5", "+1", "0x10", "1e", "1_0", "'x'", '"\n"', '"\t"',
    '"\x00"', "", "//", "\u0661", '"x', "x", "{", "]", "[1,]", '{"a":1,}', '{"a"}', "{,}",
]  # fmt: skip
"""What stands where a value should and is none: the page around it is no JSON any more."""
BLANKS = [" ", "\n", "\t", "\r\n", "   "]
WORDS = ["Paid", "paid", "PENDING", "Returned", "EUR", "eur", "JPY", "KWD", "monthly", "Monthly", "31", "-1", "99"]
BODIES = [
    b"", b" ", b"null", b"[]", b"{}", b"5", b'"x"', b"true", b"[null]", b"[[]]", b"[{}]", b'{"data":null}', b'{"data":{}}', b'{"data":[5,null,"x",[]]}',
    b'{"Success":true}', b'{"Success":true,"Result":5}', b'{"Success":false,"ErrorCode":"Validation","Errors":["no"],"Result":null}',
    b'{"Success":"true","Result":[]}', b"<!DOCTYPE html><html></html>", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000, b'{"data":' + b"[" * 500 + b"]" * 500 + b"}",
]  # fmt: skip
"""Answers in place of a page."""

BYTES = [b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'"', b"\\", b",", b"}", b"]", b"\x1f"]
AROUND = [b'"data":[],', b'"data":null,', b'"news":{},', b'"Success":false,', b'"ErrorCode":"X",', b'"Result":null,']
STRANGE = [b"null,", b"5,", b'"x",', b"[],", b"{},", b"true,"]


class Member(NamedTuple):
    """One key and its value in a row's text, however deep."""

    start: int
    value: int
    end: int
    key: str


def members(text):
    """Every key of a text that is more or less JSON with the place of its value, from left to right, however deep."""
    found, around, key, start = [], [], None, 0

    def ends(at):
        if key is not None:
            found.append(Member(key.start(), start, at, key[0][1:-1]))

    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark in "}]":
            _, key, start = around.pop() if around else ("[", None, 0)
            ends(token.end())
            key = None
        elif mark[0] == '"' and key is None and around and around[-1][0] == "{":
            key = token
        elif mark not in ",:":
            start = token.start()
            if mark in "{[":
                around.append((mark, key, start))
            else:
                ends(token.end())
            key = None
    return sorted(found)


def spliced(text, start, end, new):
    return text[:start] + new + text[end:]


def digits(rng):
    """A number of many digits, as number or as text, with or without a fraction."""
    count = rng.choice((15, 16, 17, 18, 19, 20, 39, 40, 41, 309, 400, 4301, 20_000))
    number = (
        rng.choice(("", "-"))
        + rng.choice("19")
        + "".join(rng.choices("0123456789", k=20)).ljust(count, "7")[: count - 1]
    )
    number = (
        number if rng.random() < 0.5 else rng.choice(("0." + number.lstrip("-"), number[:12] + "." + number[12:] + "0"))
    )
    return f'"{number}"' if rng.random() < 0.4 else number


def nested(rng):
    depth = rng.choice((2, 28, 29, 30, 31, 32, 33, 34, 64, 200, 1100, 3000))
    return "[" * depth + "]" * depth if rng.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth


def replaced_by(pool):
    def mutate(rng, text, at, _all):
        return spliced(text, at.value, at.end, rng.choice(pool))

    return mutate


def made_by(make):
    def mutate(rng, text, at, _all):
        return spliced(text, at.value, at.end, make(rng))

    return mutate


def doubled(rng, text, at, _all):
    value = text[at.value : at.end] if rng.random() < 0.5 else rng.choice(SCALARS)
    key = f'"{at.key}"' if rng.random() < 0.8 or not at.key else f'"\\u{ord(at.key[0]):04x}{at.key[1:]}"'
    pair = f"{key}:{value}"
    return (
        spliced(text, at.start, at.start, pair + ",")
        if rng.random() < 0.5
        else spliced(text, at.end, at.end, "," + pair)
    )


def left_out(rng, text, at, _all):
    end = at.end
    if text[end : end + 1] == ",":
        return spliced(text, at.start, end + 1, "")
    return spliced(text, at.start - (text[at.start - 1] == ","), end, "")


def added(rng, text, at, _all):
    name = rng.choice(
        (
            '"news"',
            '""',
            f'"{at.key.upper()}"',
            f'"{at.key} "',
            f'"{at.key}\u200b"',
            '"a.b"',
            '"\\ud83d"',
            '"\\u0000"',
            '"' + "k" * 300 + '"',
        )
    )
    return spliced(text, at.start, at.start, f"{name}:{rng.choice(SCALARS)},")


def swapped(rng, text, at, every):
    other = rng.choice(every)
    first, second = sorted((at, other))
    if second.start < first.end:
        return text
    values = text[first.value : first.end], text[second.value : second.end]
    return spliced(spliced(text, second.value, second.end, values[0]), first.value, first.end, values[1])


def alike(rng, text, at, every):
    """The same value as of another field of that name."""
    same = [one for one in every if one.key == at.key]
    other = rng.choice(same if len(same) > 1 else every)
    return spliced(text, at.value, at.end, text[other.value : other.end])


def renamed(rng, text, at, _all):
    key = rng.choice((at.key.upper(), at.key.lower() + "_", " " + at.key, at.key[:-1], at.key + "\\u0000"))
    return spliced(text, at.start, at.start + len(at.key) + 2, f'"{key}"')


def spaced(rng, text, at, _all):
    place = rng.choice((at.start, at.value, at.value - 1, at.end))
    return spliced(text, place, place, rng.choice(BLANKS))


def escaped(rng, text, at, _all):
    """Spell one character of a key or a text by its number: the same value, other bytes."""
    start = rng.choice((at.start, at.value))
    if text[start] != '"' or text[start + 1] in '"\\':
        return text
    return spliced(text, start + 1, start + 2, f"\\u{min(ord(text[start + 1]), 0xFFFF):04x}")


def retyped(_rng, text, at, _all):
    """A number as text, a text as whatever its letters are."""
    value = text[at.value : at.end]
    bare = value[1:-1]
    if value[:1] != '"':
        return spliced(text, at.value, at.end, f'"{value}"') if value[:1] not in "{[" else text
    return spliced(
        text, at.value, at.end, bare if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", bare, re.ASCII) else "[" + value + "]"
    )


ROWS = {
    "scalar": replaced_by(SCALARS), "money": replaced_by(MONEY), "date": replaced_by(DATES), "text": replaced_by(TEXTS),
    "word": replaced_by([f'"{word}"' for word in WORDS]), "digits": made_by(digits), "depth": made_by(nested), "doubled": doubled,
    "left out": left_out, "added": added, "swapped": swapped, "alike": alike, "renamed": renamed, "blank": spaced, "escape": escaped, "retyped": retyped,
}  # fmt: skip
"""What may happen to a row that leaves its page well-formed but for a few odd texts."""


def spoiled_row(rng, text):
    """The row with one thing wrong with it, or two, and the name of the last."""
    kind = ""
    for _ in range(1 + (rng.random() < 0.2)):
        every = members(text)
        if not every:
            return text, kind
        kind = rng.choice(list(ROWS))
        text = ROWS[kind](rng, text, rng.choice(every), every)
    return text, kind


def no_value(rng, body):
    text = body.decode("utf-8", "replace")
    one = rng.choice(members(text) or [Member(0, 0, 0, "")])
    return spliced(text, one.value, one.end, rng.choice(NO_JSON)).encode()


def flipped(rng, body):
    at = rng.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << rng.randrange(8)]) + body[at + 1 :]


def span(rng, body):
    return sorted((rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)))


def twice(rng, body):
    start, end = span(rng, body)
    return body[:end] + body[start:end] + body[end:]


def gone(rng, body):
    start, end = span(rng, body)
    return body[:start] + body[min(end, start + 20) :]


def with_bytes(rng, body):
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice(BYTES) + body[at:]


def encoded(rng, body):
    text = body.decode("utf-8", "replace")
    return rng.choice(
        (
            text.encode("latin-1", "replace"),
            text.encode("utf-16"),
            text.encode("utf-32-le"),
            gzip.compress(body, 1, mtime=0),
        )
    )


def behind(rng, body):
    return body + rng.choice((b" ", b"\n", b"x", b"\x00", b"{}", b"]", b",", b"//", body))


PAGES = {
    "cut": lambda rng, body: body[: rng.randrange(len(body) + 1)],
    "no value": no_value, "bytes": with_bytes, "flipped": flipped, "gone": gone, "twice": twice, "encoding": encoded, "behind": behind,
    "other body": lambda rng, _: rng.choice(BODIES),
    "mark": lambda rng, body: b"\xef\xbb\xbf" * rng.randint(1, 2) + body,
    "around": lambda rng, body: body.replace(b"{", b"{" + rng.choice(AROUND), 1),
    "strange rows": lambda rng, body: body.replace(b"[{", b"[" + rng.choice(STRANGE) + b"{", 1),
}  # fmt: skip
"""What may happen to the bytes of a page."""


def spoiled_page(rng, body):
    """The page with something wrong with its bytes, and the name of it."""
    kind = rng.choice(list(PAGES))
    return PAGES[kind](rng, body), kind
