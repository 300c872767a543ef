// Writes the URL of this server into the example.
for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
