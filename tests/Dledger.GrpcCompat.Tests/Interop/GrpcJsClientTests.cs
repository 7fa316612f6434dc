namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>The official interoperability cases: the client is <c>@grpc/grpc-js</c>, the server ours.</summary>
public sealed class GrpcJsClientTests(NodeProject node) : IClassFixture<NodeProject>
{
    [Theory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("ping_pong")]
    [InlineData("empty_stream")]
    [InlineData("status_code_and_message")]
    [InlineData("special_status_message")]
    [InlineData("unimplemented_method")]
    [InlineData("unimplemented_service")]
    [InlineData("cancel_after_begin")]
    [InlineData("cancel_after_first_response")]
    [InlineData("timeout_on_sleeping_server")]
    [InlineData("custom_metadata")]
    [InlineData("client_compressed_unary")]
    [InlineData("server_compressed_unary")]
    [InlineData("client_compressed_streaming")]
    [InlineData("server_compressed_streaming")]
    public async Task The_javascript_client_passes_the_case_against_our_server(string name)
    {
        await using var server = await InteropServer.StartAsync<InteropService>();

        await node.RunScriptAsync("client.js", server.Address.Authority, name);
    }
}
