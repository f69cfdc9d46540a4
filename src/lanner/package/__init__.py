"""`lanner package`: a built plugin becomes what falcoctl and registries take: archives, an OCI image layout, sums and an SBOM."""
