"""`lanner package`: pack a built plugin for falcoctl and registries: archives, an OCI image layout, checksums and an SBOM. Private."""
