using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;
using Dledger.Client.Connections;

namespace Dledger.Cli.Commands.Timers;

/// <summary>Changes delayed messages page by page, or only says which ones it would change.</summary>
internal sealed class TimerChange(
    DledgerChannel channel, Terminal terminal, PendingTimerSelection selection, bool isJson, string done)
{
    private const int PageSize = 500;

    /// <summary>Lists what would be changed.</summary>
    public async Task<ExitCode> TryOutAsync(CancellationToken cancellationToken)
    {
        var client = new TimerAdminClient(channel);
        var found = new List<PendingTimer>();
        string? next = null;
        do
        {
            var page = await client.ListAsync(selection, PageSize, next, cancellationToken);
            found.AddRange(page.Timers);
            next = page.NextPage;
        }
        while (next is not null);

        if (isJson)
        {
            JsonText.Write(terminal.Output, new { dryRun = true, count = found.Count, messages = found.Select(TimerArguments.ToJson) });
            return ExitCode.Ok;
        }

        if (found.Count > 0)
        {
            TimerArguments.WriteTable(terminal, found);
        }

        terminal.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{found.Count} messages would be {done}; nothing was changed"));
        return ExitCode.Ok;
    }

    /// <summary>Changes all that is found.</summary>
    public async Task<ExitCode> RunAsync(
        Func<TimerAdminClient, string?, int, Task<PendingTimerPage>> change)
    {
        var client = new TimerAdminClient(channel);
        var count = 0L;
        string? next = null;
        do
        {
            var page = await change(client, next, PageSize);
            count += page.ChangedCount;
            next = page.NextPage;
        }
        while (next is not null);

        if (isJson)
        {
            JsonText.Write(terminal.Output, new { dryRun = false, count });
        }
        else
        {
            terminal.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{count} messages of topic {selection.Topic} {done}"));
        }

        return ExitCode.Ok;
    }
}
