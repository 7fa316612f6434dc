namespace Dledger.Chaos.Clusters;

/// <summary>Where a node lives.</summary>
/// <param name="Id">Its number, from 1; also its port of the switch.</param>
/// <param name="Host">IP address.</param>
/// <param name="ClientPort">Port for clients.</param>
/// <param name="PeerPort">Port for the other nodes.</param>
/// <param name="DataDirectory">Where it keeps everything.</param>
/// <param name="ConfigurationFile">What it is started with.</param>
/// <param name="LogFile">Its output over all lives.</param>
/// <param name="LaunchPrefix">Program and arguments that start another program where the node runs; may be empty.</param>
internal sealed record NodePlace(
    int Id,
    string Host,
    int ClientPort,
    int PeerPort,
    string DataDirectory,
    string ConfigurationFile,
    string LogFile,
    IReadOnlyList<string> LaunchPrefix)
{
    public string Address => $"{Host}:{ClientPort}";
}
