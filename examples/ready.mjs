/** Opens the panels of a page: they are inert until its script listens, so that no click is lost, and no form leaves the page. */
export function ready() {
  for (const panel of document.querySelectorAll('[inert]')) panel.inert = false
}
