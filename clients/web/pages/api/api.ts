/** The document of the REST API, shown by Swagger UI, all of it from this origin. */
import "swagger-ui-dist/swagger-ui.css";
import bundle from "swagger-ui-dist/swagger-ui-bundle.js?url";
import { readDemo } from "../demo.js";

interface SwaggerUi {
  preauthorizeApiKey(scheme: string, key: string): void;
}

declare const SwaggerUIBundle: (options: object) => SwaggerUi;

const script = document.createElement("script");
script.src = bundle;
script.onload = show;
document.head.append(script);

function show(): void {
  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#document",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    // Else the document of whoever runs this were sent to a stranger to be checked.
    validatorUrl: null,
    onComplete: () => void useKeyOfTheDemo(ui),
  });
}

async function useKeyOfTheDemo(ui: SwaggerUi): Promise<void> {
  const demo = await readDemo().catch(() => null);
  if (demo !== null) ui.preauthorizeApiKey("key", demo.apiKey);
}
