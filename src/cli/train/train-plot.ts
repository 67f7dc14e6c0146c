// Curves of a training as text.

const WIDTH = 60
const HEIGHT = 12

/** `0.1234`, in as many characters everywhere. */
const figure = (value: number): string => value.toPrecision(4).slice(0, 9).padStart(9)

/**
 * One chart of numbers over epochs.
 * @param curves up to two, by their names: drawn as `*` and `o`, and `@` where they meet
 */
export function plot(title: string, curves: Readonly<Record<string, readonly number[]>>): string {
  const entries = Object.entries(curves).filter(([, values]) => values.some(Number.isFinite))
  if (entries.length === 0) return ''
  const all = entries.flatMap(([, values]) => values.filter(Number.isFinite))
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const epochs = Math.max(...entries.map(([, values]) => values.length))
  const columns = Math.min(WIDTH, Math.max(epochs, 2))
  const cells = Array.from({ length: HEIGHT }, () => Array.from({ length: columns }, () => ' '))
  entries.forEach(([, values], which) => {
    for (let column = 0; column < columns; column++) {
      const value = values[Math.round(column * (epochs - 1) / (columns - 1))]
      if (value === undefined || !Number.isFinite(value)) continue
      const row = most === least ? HEIGHT - 1 : Math.round((most - value) / (most - least) * (HEIGHT - 1))
      const line = cells[row] as string[]
      line[column] = line[column] === ' ' ? '*o'[which] as string : '@'
    }
  })
  const lines = cells.map((line, row) => `${row === 0 ? figure(most) : row === HEIGHT - 1 ? figure(least) : ' '.repeat(9)} |${line.join('').trimEnd()}`)
  const names = entries.map(([name], which) => `${'*o'[which] as string} ${name}`).join(', ')
  return [`${title}: ${names}`, ...lines, `${' '.repeat(10)}+${'-'.repeat(columns)} ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`].join('\n')
}
