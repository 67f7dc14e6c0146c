// Columns of numbers from a CSV file.

/**
 * Reads a CSV file: commas, semicolons or tabs between fields; the first line may be names. With semicolons or tabs, 3,5 is a number too.
 * @returns [{ name, values: Float64Array }]: the columns that have a number on every line
 * @throws Error that says which line is wrong, or that no column is numbers
 */
export function readCsv(text) {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  while (lines.at(-1)?.trim() === '') lines.pop()
  if (lines.length < 2) throw new Error(`expected a CSV file with a number on each line, got ${lines.length} lines`)
  const delimiter = ['\t', ';', ','].find((each) => lines[1].includes(each)) ?? ','
  const rows = lines.map((line) => fieldsOf(line, delimiter))
  const isNumber = (field) => !Number.isNaN(numberOf(field, delimiter))
  const hasNames = !rows[0].some(isNumber)
  const names = rows[0].map((name, n) => (hasNames && name !== '' ? name : `column ${n + 1}`))
  const body = hasNames ? rows.slice(1) : rows
  const firstLine = hasNames ? 2 : 1
  const short = body.findIndex((fields) => fields.length !== names.length)
  if (short >= 0) throw new Error(`line ${short + firstLine}: expected ${names.length} fields, got ${body[short].length}`)
  const gaps = []
  const columns = names.flatMap((name, n) => {
    const gap = body.findIndex((fields) => !isNumber(fields[n]))
    if (gap < 0) return [{ name, values: Float64Array.from(body, (fields) => numberOf(fields[n], delimiter)) }]
    if (isNumber(body[0][n])) gaps.push(`${name} has '${body[gap][n]}' on line ${gap + firstLine}`)
    return []
  })
  if (columns.length === 0) throw new Error(`no column has a number on every line${gaps.length === 0 ? '' : `: ${gaps.join('; ')}`}`)
  return columns
}

/** The fields of a line; a quoted one may have delimiters in it, and "" for a quote. */
function fieldsOf(line, delimiter) {
  if (!line.includes('"')) return line.split(delimiter).map((field) => field.trim())
  const fields = ['']
  let isQuoted = false
  for (let n = 0; n < line.length; n++) {
    if (line[n] === '"') {
      if (isQuoted && line[n + 1] === '"') fields[fields.length - 1] += line[n++]
      else isQuoted = !isQuoted
    } else if (line[n] === delimiter && !isQuoted) {
      fields.push('')
    } else {
      fields[fields.length - 1] += line[n]
    }
  }
  return fields.map((field) => field.trim())
}

function numberOf(field, delimiter) {
  if (field === '') return NaN
  const number = Number(delimiter === ',' ? field : field.replace(/^([+-]?\d*),(\d+)$/, '$1.$2'))
  return Number.isFinite(number) ? number : NaN
}
