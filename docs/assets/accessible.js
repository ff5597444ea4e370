// Names and roles that the theme leaves out; again after each page that it loads in place.
document$.subscribe(() => {
  const every = (selector, change) => document.querySelectorAll(selector).forEach(change);
  every(".md-search", (part) => part.setAttribute("aria-label", "Search"));
  every(".md-code__nav", (part, i) => part.setAttribute("aria-label", `Code ${i + 1}`));
  every("th:empty", (part) => part.replaceWith(document.createElement("td")));
  every(".md-typeset__scrollwrap, .highlight pre, pre > code", (part) => part.setAttribute("tabindex", "0"));
});
