// How files come into the site: scripts without their white space and comments, with short local names; everything else as it is.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { minify } from 'vite'

/** Copies one file. @param notice what must stand before a script of others */
export async function copyFile(from, to, notice = '') {
  await mkdir(dirname(to), { recursive: true })
  if (!/\.m?js$/.test(from)) return cp(from, to)
  const { code } = await minify(from, await readFile(from, 'utf8'), { compress: false })
  await writeFile(to, notice + code)
}

/** Copies a folder with what is in it. @param isWanted whether a file, by its path in the folder, is wanted; default: all are */
export async function copyFolder(from, to, isWanted = () => true) {
  const entries = await readdir(from, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(from.length + 1))
  await Promise.all(files.filter((file) => isWanted(file.replaceAll('\\', '/'))).map((file) => copyFile(join(from, file), join(to, file))))
}
