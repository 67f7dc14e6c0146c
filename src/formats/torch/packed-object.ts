/** An object of C++ code in a pickle (torch.ScriptObject): only what it was built with is kept, and nothing is made of it. */
export class PackedObject {
  state: unknown
}
