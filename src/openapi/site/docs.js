// Shows the OpenAPI document. On the reader's own machine the demo key is filled in, so that trying works at once.
const DEMO_KEY = 'peere_test_lagos_full';
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

const dark = matchMedia('(prefers-color-scheme: dark)');
const dress = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', dress);
dress();

// What is tried here goes to the server that this page comes from, and no other; and each visit is a batch of its own.
function forThisPage(openapi) {
  const { parameters } = openapi.components;
  parameters['Idempotency-Key'].example = `tried-${Date.now()}`;
  return { ...openapi, servers: [{ url: location.origin }] };
}

async function show() {
  const answer = await fetch('/openapi.json');
  const reference = globalThis.SwaggerUIBundle({
    spec: forThisPage(await answer.json()),
    dom_id: '#reference',
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // Asks a server elsewhere whether the document is valid; our own checks have.
    validatorUrl: null,
    onComplete: () => {
      if (isLocal) reference.preauthorizeApiKey('key', DEMO_KEY);
    },
  });
}

void show();
