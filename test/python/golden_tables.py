"""Parquet files as people have them: compressions, encodings, pages and types, with their values in expected.json.

pip install pyarrow==26.0.1 (tested), then: python test/python/golden_tables.py
"""
import datetime
import decimal
import json
import pathlib

import numpy
import pyarrow
import pyarrow.parquet

OUT = pathlib.Path(__file__).parent.parent / "golden" / "tables"
ROWS = 103
random = numpy.random.default_rng(20261128)


def with_nulls(values, every):
    return [None if n % every == every - 1 else value for n, value in enumerate(values)]


start = datetime.datetime(2026, 3, 29, 0, 30)
moments = [start + datetime.timedelta(seconds=n, microseconds=n * 7) for n in range(ROWS)]
table = pyarrow.table({
    "double": pyarrow.array(random.standard_normal(ROWS)),
    "float": pyarrow.array(random.standard_normal(ROWS).astype(numpy.float32)),
    "half": pyarrow.array(random.standard_normal(ROWS).astype(numpy.float16)),
    "int8": pyarrow.array(random.integers(-128, 128, ROWS), pyarrow.int8()),
    "int32": pyarrow.array(random.integers(-2**31, 2**31, ROWS), pyarrow.int32()),
    "int64": pyarrow.array(random.integers(-2**53, 2**53, ROWS), pyarrow.int64()),
    "uint32": pyarrow.array(random.integers(0, 2**32, ROWS), pyarrow.uint32()),
    "few": pyarrow.array(random.choice([0.5, -1.25, 3.0], ROWS)),
    "gaps": pyarrow.array(with_nulls(random.standard_normal(ROWS).tolist(), 5)),
    "flag": pyarrow.array(with_nulls((random.random(ROWS) > 0.4).tolist(), 9), pyarrow.bool_()),
    "price": pyarrow.array([decimal.Decimal(int(value)).scaleb(-2) for value in random.integers(-10**6, 10**6, ROWS)], pyarrow.decimal128(12, 2)),
    "name": pyarrow.array(with_nulls([f"n{n % 7} \u00e4\u20ac" for n in range(ROWS)], 11)),
    "text": pyarrow.array([f"row {n}, \"{n * n}\"" for n in range(ROWS)]),
    "moment": pyarrow.array(moments, pyarrow.timestamp("us")),
    "day": pyarrow.array([moment.date() + datetime.timedelta(days=n) for n, moment in enumerate(moments)], pyarrow.date32()),
    "list": pyarrow.array([[n, n + 1] for n in range(ROWS)]),
})
FILES = {
    "none": dict(compression="none"),
    "snappy": dict(compression="snappy"),
    "gzip": dict(compression="gzip", data_page_version="2.0"),
    "zstd": dict(compression="zstd", data_page_version="2.0"),
    "brotli": dict(compression="brotli"),
    "lz4": dict(compression="lz4"),
    "plain": dict(compression="snappy", use_dictionary=False, data_page_size=256),
    "delta": dict(compression="zstd", use_dictionary=False, column_encoding={
        "int32": "DELTA_BINARY_PACKED", "int64": "DELTA_BINARY_PACKED", "moment": "DELTA_BINARY_PACKED", "name": "DELTA_LENGTH_BYTE_ARRAY",
        "text": "DELTA_BYTE_ARRAY", "double": "BYTE_STREAM_SPLIT", "float": "BYTE_STREAM_SPLIT",
    }),
    "int96": dict(compression="snappy", use_deprecated_int96_timestamps=True),
}


def plain(value):
    if isinstance(value, (decimal.Decimal, numpy.floating)):
        return float(value)
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


OUT.mkdir(exist_ok=True)
for name, options in FILES.items():
    pyarrow.parquet.write_table(table, OUT / f"{name}.parquet", row_group_size=40, write_batch_size=16, **options)
expected = {name: [plain(value) for value in column.to_pylist()] for name, column in zip(table.column_names, table.columns)}
(OUT / "expected.json").write_text(json.dumps({"pyarrow": pyarrow.__version__, "rows": ROWS, "columns": expected}) + "\n")
