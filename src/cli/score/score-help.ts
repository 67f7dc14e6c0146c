import { READ_HELP } from '../reading.ts'

export const SCORE_HELP: string = `\
Scores the rows of a table: windows of rows go through a model, and its outputs become columns of
another table. Memory stays the same however long the table is; a run that was stopped or killed
goes on where it was; the result is the same for any number of workers.

Usage
  lstm-wasm score MODEL DATA -o OUT

DATA and OUT are .parquet, .csv or .npy files. Parquet may be compressed with snappy, gzip, brotli
or zstd. A first line of a .csv without a single number has the names of the columns; they are 0, 1,
2, ... otherwise, and of an .npy.

A window is N rows in a row, the oldest first; its scores stand in a row of OUT beside the kept
columns of its last row. Models that take [batch, features] take row by row. docs/score.md has it
all, with examples.

Options
  -o, --output OUT         the table that is written
  --columns [INPUT=]A,B,C  features, in the order of the model. Default: all columns of numbers but
                           those of --by and --keep, in order. With INPUT= for models of several
                           inputs, once for each.
  --timesteps N            rows of a window, where the model leaves it open
  --stride N               rows from the beginning of a window to that of the next. Default 1.
  --by COLUMN              tells series apart: no window has rows of two. Rows of a series stand
                           together.
  --wide                   a row holds a whole window: all numbers of the first timestep, then all
                           of the second, ...
  --keep A,B               columns that are written beside the scores. Default: all that are no
                           features. --keep none for none.
  --only NAME              an output that is written; may be given again. Default: all
  --last                   of outputs with timesteps, the last one only
  --nulls skip             leaves out windows with a null or NaN, which are an error otherwise
  --workers N              threads that score. Default: one a processor, up to 4
  --pool FILE              a JavaScript module that says who scores instead: other machines, say.
                           docs/score.md has what it exports
  --group-rows N           rows that are read, scored and written together: a row group of OUT
  --batch N                windows of a run of the model. Default: what fits the processor's cache
  --force                  writes OUT anew where it is there already, or left of another run
  --variant VARIANT        simd: bit-identical on every machine. relaxed-simd: faster where the
                           processor fuses multiply and add. auto (default): the fastest there is.
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

While it runs, OUT.part has the rows that are written and OUT.part.jsonl says what they are; OUT is
there when it is whole.

Examples
  lstm-wasm score lstm.safetensors sales.parquet -o scores.parquet --timesteps 28 --by store
  lstm-wasm score model.onnx words.csv -o scores.csv --columns word --timesteps 12 --keep page
  lstm-wasm score digits.safetensors mnist.csv -o digits.csv --wide --keep label

Exit codes: 0 done, 1 a file cannot be read, scored or written, 2 the command line is wrong,
130 Ctrl-C stopped it.
`
