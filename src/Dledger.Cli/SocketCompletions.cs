namespace Dledger.Cli;

/// <summary>On which thread what waited for a socket goes on.</summary>
/// <remarks>
/// By default the thread that hears of a readable socket hands it to the thread pool, whose worker hands it to the queue of the connection,
/// which another worker runs. Neither Kestrel's connections nor those of the HTTP client do work there that could block, so the first of
/// these changes of threads can be saved.
/// </remarks>
internal static class SocketCompletions
{
    // The framework reads it from the environment alone, when the first socket is made.
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>To be called before anything uses a socket; a value from outside has precedence.</summary>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
