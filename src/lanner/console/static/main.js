// The page of `lanner console`, which asks its server.

import { login } from "./api.js";
import { keepFresh, start } from "./console.js";

start({ live: "Live", history: "History", rules: "Rules", status: "Status" }, login).then(keepFresh);
