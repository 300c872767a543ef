// Shows the OpenAPI document. On a local server the demo API key is filled in, so that requests work at once.
const DEMO_API_KEY = 'peere_test_lagos_full';
const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

const dark = matchMedia('(prefers-color-scheme: dark)');
const applyTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', applyTheme);
applyTheme();

// Every operation may end in a dozen errors, which are all alike: one line of links takes their place.
function collapseErrors(operation) {
  const errors = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
  const links = errors.flatMap(([status, { content }]) =>
    Object.keys(content['application/json'].examples).map((code) => `${status} [${code}](/errors#${code})`),
  );
  for (const [status] of errors) delete operation.responses[status];
  operation.responses.default = { description: `An error, with its cause and fix: ${links.join(', ')}.` };
}

// What is tried with the examples leaves the demo as it is.
const NOBODY = 'cus_00000000000000000000000000';
function makeHarmless({ '/v1/bank/customer': customer, '/v1/bank/customers': customers }) {
  for (const parameter of customer.delete.parameters) if (parameter.name === 'id') parameter.example = NOBODY;
  const update = customer.patch.requestBody.content['application/json'].example;
  update.update = { phone: '+2348031234567' };
  for (const parameter of customers.post.parameters) {
    if (parameter.name !== 'dryRun') continue;
    parameter.example = true;
    parameter.schema.default = true;
  }
}

// Requests go to the server of this page. Each visit has its own Idempotency-Key, and so its own batch.
function forThisPage(openapi) {
  const { parameters } = openapi.components;
  parameters['Idempotency-Key'].example = `tried-${Date.now()}`;
  const operations = Object.values(openapi.paths).flatMap((methods) => Object.values(methods));
  for (const operation of operations) collapseErrors(operation);
  makeHarmless(openapi.paths);
  return { ...openapi, servers: [{ url: location.origin }] };
}

const nameRegion = (part, name) => {
  part.setAttribute('role', 'region');
  part.setAttribute('aria-label', name);
};

// What Swagger UI leaves without a name, or out of reach of the keyboard.
function makeAccessible(root) {
  const all = (selector) => root.querySelectorAll(selector);
  for (const part of all('.information-container')) nameRegion(part, 'Introduction');
  for (const part of all('.scheme-container')) nameRegion(part, 'API key');
  for (const part of all('section.models')) nameRegion(part, 'Schemas');
  for (const heading of all('.models > h4')) heading.setAttribute('aria-level', '2');
  // A link inside the button that opens an operation.
  for (const link of all('.opblock-summary-control a[href]')) link.removeAttribute('href');
  for (const row of all('tr[data-param-name]')) {
    for (const field of row.querySelectorAll('input, select, textarea'))
      field.ariaLabel = row.dataset.paramName;
  }
  for (const field of all('textarea.body-param__text')) field.ariaLabel = 'Body of the request';
  for (const block of all('pre.microlight')) block.tabIndex = 0;
  for (const table of all('table[role=region]')) {
    const kind = table.classList.contains('live-responses-table') ? 'Response of' : 'Responses of';
    table.ariaLabel = `${kind} ${table.closest('.opblock')?.id ?? ''}`;
  }
}

async function show() {
  const root = document.querySelector('#reference');
  new MutationObserver(() => makeAccessible(root)).observe(root, { childList: true, subtree: true });

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
