globalThis.answer = globalThis.lstmWasm.load('model.safetensors').then(() => 'loaded', (error) => `${error.code}: ${error.message}`)
