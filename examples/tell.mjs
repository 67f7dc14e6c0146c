/** Does something, and says in the element `message` of the page what went wrong. */
export async function tell(work) {
  const message = document.getElementById('message')
  message.textContent = ''
  message.classList.remove('bad')
  try {
    return await work()
  } catch (error) {
    message.classList.add('bad')
    message.textContent = error.name === 'NotAllowedError' ? 'The browser did not allow the microphone.' : error.message
  }
}
