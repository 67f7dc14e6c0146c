// Loads packages of this folder: they are not the library's own, and their types are not installed where types are checked.
import { ROOT } from '../places.ts'

interface Import { readonly importHere: (name: string, copy?: string) => Promise<any> }

const address = new URL('bench/peers/import.mjs', ROOT).href
const { importHere } = await import(/* @vite-ignore */ address) as Import

/**
 * The module of this name.
 * @param copy tells copies of it apart, which have settings of their own
 * @throws Error saying what to do where it is not installed
 */
export async function loadPeer(name: string, copy?: string): Promise<any> {
  try {
    return await importHere(name, copy)
  } catch (error) {
    const { code = '' } = error as { code?: string }
    // The second: the library's own package puts a stand-in in the place of onnxruntime-web, which it does not need.
    if (!['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(code)) throw error
    throw new Error('not installed: npm run bench:setup', { cause: error })
  }
}
