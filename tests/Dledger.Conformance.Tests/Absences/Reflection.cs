using Dledger.Conformance.Tests.Checklists;

[assembly: Untested("8e", "optional; server reflection is not offered")]
