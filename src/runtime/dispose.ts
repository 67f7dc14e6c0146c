/**
 * Lets `using` dispose instances of a class that has `dispose()`. Engines without Symbol.dispose
 * (WebKit, Node before 20.5) have no `using` either, and there nothing is added.
 */
export function makeDisposable(ofClass: { readonly prototype: { dispose(): void } }): void {
  if (typeof Symbol.dispose !== 'symbol') return
  Object.defineProperty(ofClass.prototype, Symbol.dispose, {
    configurable: true,
    value(this: { dispose(): void }) {
      this.dispose()
    },
  })
}
