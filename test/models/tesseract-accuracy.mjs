// Characters that are read wrong of the lines that test/python/tesseract_lines.py or tesseract_scans.py made, by recognizeLine and by Tesseract's
// program:
//   python test/python/tesseract_lines.py accuracy FOLDER && npm run build && node test/models/tesseract-accuracy.mjs FOLDER
//   python test/python/tesseract_scans.py TESTING FOLDER && node test/models/tesseract-accuracy.mjs FOLDER
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from '../../dist/index.js'
import { recognizeLine } from '../../dist/tesseract.js'

const KINDS = ['fast', 'best_int']
const WEAR = ['clean', 'blur 0.8, noise 14', 'noise 26', 'blur 1.2, noise 6']

/** Insertions, deletions and replacements between two texts. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])))
    row = next
  }
  return row[b.length]
}

/** A PGM file of bytes as Pillow writes it. */
function readPgm(file) {
  const [header, width, height] = /^P5\n(\d+) (\d+)\n255\n/.exec(file.toString('latin1', 0, 40))
  return { width: Number(width), height: Number(height), data: new Uint8Array(file.subarray(header.length)) }
}

const [, , folder] = process.argv
const tessdata = process.env.TESSDATA
const lines = JSON.parse(await readFile(join(folder, 'lines.json'), 'utf8'))
/** How lines are worn, or the pages they are cut from. */
const groups = [...new Set(lines.map(({ wear }) => wear))]
const characters = lines.reduce((sum, { text }) => sum + text.length, 0)
for (const kind of KINDS) {
  const model = await load(await readFile(join(tessdata, `${kind}.traineddata`)))
  for (const [n, line] of lines.entries()) line[`${kind} lstm-wasm`] = recognizeLine(model, readPgm(await readFile(join(folder, `${n}.pgm`)))).text
  for (const reader of ['lstm-wasm', 'psm 7', 'psm 13']) {
    const wrong = lines.map((line) => distance(line[`${kind} ${reader}`], line.text))
    const sum = wrong.reduce((total, count) => total + count, 0)
    const shares = groups.map((wear) => {
      const own = lines.filter((line) => line.wear === wear)
      return 100 * own.reduce((total, line) => total + wrong[lines.indexOf(line)], 0) / own.reduce((total, { text }) => total + text.length, 0)
    })
    const right = wrong.filter((count) => count === 0).length
    console.log(`${kind} ${reader}: ${(100 * sum / characters).toFixed(2)} % of ${characters} characters (${sum}), ${right} of ${lines.length} lines right;`
      + shares.map((share, n) => ` ${WEAR[groups[n]] ?? groups[n]}: ${share.toFixed(2)} %`).join(';'))
  }
}
