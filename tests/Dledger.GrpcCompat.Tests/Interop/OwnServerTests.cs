namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>The official interoperability cases between our client and our server.</summary>
public sealed class OwnServerTests
{
    public static TheoryData<string> Names => InteropCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Our_client_passes_the_case_against_our_server(string name)
    {
        await using var server = await InteropServer.StartAsync<InteropService>();
        using var cases = new InteropCases(server.Address);

        await cases.RunAsync(name).WaitAsync(TimeSpan.FromSeconds(30));
    }
}
