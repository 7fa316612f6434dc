using System.Xml.Linq;
using Dledger.Conformance.Tests.Checklists;

namespace Dledger.Conformance.Tests;

/// <summary>Prints the table of a run: the argument is the file of results that <c>dotnet test</c> has written.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is not [var path])
        {
            Console.Error.WriteLine("usage: Dledger.Conformance.Tests <results.trx>; 'make conformance' does it all");
            return 2;
        }

        return Report.Write(XDocument.Load(path), Console.Out) ? 0 : 1;
    }
}
