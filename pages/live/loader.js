// All that Streamlit sends with each drawing; the component itself is fetched once.
export default function (component) {
  const { data, parentElement } = component;
  let end, gone = false;
  import(new URL(data.script, window.location.origin).href)
    .then((file) => gone || (end = file.default(component)))
    .catch((problem) => (parentElement.textContent = `This part of the page could not be loaded (${problem.message}). Reload the page; the run goes on.`));
  return () => ((gone = true), end?.());
}
