// The address that the reader is at, in the example.
for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
