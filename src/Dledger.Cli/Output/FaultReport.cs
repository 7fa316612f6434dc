using Dledger.Client.Errors;
using Dledger.Replication;
using Dledger.Server.Listening;
using Dledger.Server.Options;
using Dledger.Storage.Disks;

namespace Dledger.Cli.Output;

/// <summary>Turns what a command throws into a message, the next step and an exit code.</summary>
internal static class FaultReport
{
    /// <summary>Runs a command's work; nothing escapes but bugs of ours, which keep their stack trace.</summary>
    public static async Task<int> GuardAsync(Terminal terminal, Func<Task<ExitCode>> work)
    {
        try
        {
            return (int)await work();
        }
        catch (OperationCanceledException)
        {
            return (int)ExitCode.Interrupted;
        }
        catch (Exception exception) when (Judge(exception) is { } fault)
        {
            terminal.Fault(fault.Message);
            terminal.Advise(fault.Advice);
            return (int)fault.Code;
        }
        catch (Exception exception)
        {
            terminal.Fault($"This should not have happened: {exception}");
            return (int)ExitCode.Unexpected;
        }
    }

    private static (string Message, string Advice, ExitCode Code)? Judge(Exception exception) => exception switch
    {
        DledgerException fault => (fault.Summary, fault.Hint, CodeOf(fault)),
        UsageException usage => (usage.Message, usage.Advice, ExitCode.Usage),
        ServerOptionsException options => (options.Message, "", ExitCode.Usage),
        DataDirectoryException directory => (directory.Message, "", ExitCode.Refused),
        ListenException listening => (listening.Message, "", ExitCode.Refused),
        DamagedFileException damage => (damage.Message, "", ExitCode.Damaged),
        StorageFaultException storage => (storage.Message, "", ExitCode.NodeFault),
        FileNotFoundException or DirectoryNotFoundException => (exception.Message, "", ExitCode.NotFound),
        IOException or UnauthorizedAccessException => (exception.Message, "", ExitCode.Unexpected),
        _ => null,
    };

    private static ExitCode CodeOf(DledgerException fault) => fault switch
    {
        ClusterUnavailableException => ExitCode.Unavailable,
        ResourceNotFoundException => ExitCode.NotFound,
        RequestRefusedException => ExitCode.Refused,
        OutcomeUnknownException => ExitCode.OutcomeUnknown,
        _ => ExitCode.Unexpected,
    };
}
