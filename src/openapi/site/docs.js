// Shows the OpenAPI document. On a local server the demo API key is filled in, so that requests work at once.
const DEMO_API_KEY = 'peere_test_lagos_full';
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

const dark = matchMedia('(prefers-color-scheme: dark)');
const applyTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', applyTheme);
applyTheme();

// Requests go to the server of this page. Each visit has its own Idempotency-Key, and so its own batch.
function forThisPage(openapi) {
  const { parameters } = openapi.components;
  parameters['Idempotency-Key'].example = `tried-${Date.now()}`;
  return { ...openapi, servers: [{ url: location.origin }] };
}

async function show() {
  const response = await fetch('/openapi.json');
  const reference = globalThis.SwaggerUIBundle({
    spec: forThisPage(await response.json()),
    dom_id: '#reference',
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // No validation by a third-party server: `npm run openapi` validates the document.
    validatorUrl: null,
    onComplete: () => {
      if (isLocal) reference.preauthorizeApiKey('key', DEMO_API_KEY);
    },
  });
}

void show();
