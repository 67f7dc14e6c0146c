// JavaScript, and never compiled to another place: names are looked up in the node_modules beside it.
/** @param {string} [copy] of modules with settings of their own: another one for each */
export const importHere = (name, copy) => import(copy === undefined ? name : `${import.meta.resolve(name)}?${copy}`)
