namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>The official interoperability cases: the client is ours, the server <c>@grpc/grpc-js</c>.</summary>
public sealed class GrpcJsServerTests(GrpcJsServer server) : IClassFixture<GrpcJsServer>
{
    public static TheoryData<string> Names => InteropCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Our_client_passes_the_case_against_the_javascript_server(string name)
    {
        using var cases = new InteropCases(server.Address);

        await cases.RunAsync(name).WaitAsync(TimeSpan.FromSeconds(30));
    }
}
