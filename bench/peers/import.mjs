// JavaScript, and never compiled to another place: names are looked up in the node_modules beside it.
export const importHere = (name) => import(name)
