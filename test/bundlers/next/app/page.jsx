'use client'
import { useEffect, useState } from 'react'
import { answer } from '../answer.js'

export default function Page() {
  const [text, setText] = useState('')
  useEffect(() => {
    globalThis.answer = answer(new URL('/model.safetensors', location.href))
    globalThis.answer.then(setText)
  }, [])
  return <p>{text}</p>
}
