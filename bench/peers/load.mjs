/**
 * Loads a module of this folder's own package. Here, so that names are looked up in this folder's node_modules; the rest of
 * the benchmark belongs to the library's package, which it imports by name like any user.
 * @param {string} name
 * @returns {Promise<any>} the module: its types are not installed where types are checked
 */
export async function loadPeer(name) {
  try {
    return await import(name)
  } catch (error) {
    const { code = '' } = /** @type {{ code?: string }} */ (error)
    // The second: the library's own package puts a stand-in in the place of onnxruntime-web, which it does not need.
    if (!['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(code)) throw error
    throw new Error('not installed: npm run bench:setup', { cause: error })
  }
}
