"""What to tell an employee, and when (`streams/README.md`, "Employees")."""
