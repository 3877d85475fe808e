import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { createAppRouter } from "./app/router.tsx";
import { createServices } from "./app/services.ts";
import "./app/theme.css";

const services = createServices();
const router = createAppRouter(services);
const element = document.getElementById("root");
if (!element) throw new Error("index.html has no element with the id root.");
createRoot(element).render(
  <StrictMode>
    <App services={services} router={router} />
  </StrictMode>,
);
